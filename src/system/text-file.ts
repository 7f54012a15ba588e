import * as nodeFs from 'node:fs'

/**
 * The content of a file. It is read as bytes: `readFileSync(path, 'utf8')` aborts the whole process if closing the file
 * fails, as it may when a network drive or a FUSE file system goes away.
 */
export function readText(path: nodeFs.PathLike, files: Pick<typeof nodeFs, 'readFileSync'> = nodeFs): string {
  return files.readFileSync(path).toString()
}

/**
 * The same; `undefined` when it can't be read, for whatever reason. Reading a pipe would block the whole process, and a
 * device such as /dev/zero never ends.
 */
export function textIn(path: string): string | undefined {
  try {
    return nodeFs.statSync(path).isFile() ? readText(path) : undefined
  } catch {
    return undefined
  }
}
