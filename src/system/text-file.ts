import * as nodeFs from 'node:fs'

/**
 * The content of a file. It is read as bytes: `readFileSync(path, 'utf8')` aborts the whole process if closing the file
 * fails, as it may when a network drive or a FUSE file system goes away.
 */
export function readText(path: nodeFs.PathLike, files: Pick<typeof nodeFs, 'readFileSync'> = nodeFs): string {
  return files.readFileSync(path).toString()
}

/** The same; `undefined` when it can't be read, for whatever reason. */
export function textIn(path: string): string | undefined {
  try {
    return readText(path)
  } catch {
    return undefined
  }
}
