import { readFileSync } from 'node:fs'

/** What a file holds; `undefined` when it can't be read, for whatever reason. */
export function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
