import * as nodeFs from 'node:fs'

/**
 * What a file holds. Read as bytes: `readFileSync(path, 'utf8')` aborts the whole process when closing the file fails,
 * as it may on a drive over the network, or one that a program serves (FUSE), when that goes away.
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
