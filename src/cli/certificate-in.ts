import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The certificate in a file, if one is named; undefined if it can't be read, which the server that uses it reports. */
export function certificateIn(path: string | undefined): X509Certificate | undefined {
  try {
    return path === undefined ? undefined : new X509Certificate(readFileSync(path))
  } catch {
    return undefined
  }
}
