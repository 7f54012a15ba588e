import { constants } from 'node:os'

/** Whether this is an error of Node or of the system with this code, such as `ENOENT`. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** The same for several codes. */
export function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return codes.some((code) => isCode(error, code))
}

/** Undefined for an error that has none. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error)) return undefined
  const code = String(error.code)
  if (code === 'UNKNOWN' && 'errno' in error) return nameOf(-Number(error.errno)) ?? code
  const [, number] = /^Unknown system error -(\d+)$/.exec(code) ?? []
  return number === undefined ? code : (nameOf(Number(number)) ?? `system error ${number}`)
}

/** The code of a file error, for the end of a sentence. */
export function codeInBrackets(error: unknown): string {
  const code = codeOf(error)
  return code === undefined ? '' : ` (${code})`
}

/**
 * Node has no names for some system errors, for example that of an exceeded quota (EDQUOT). Its synchronous functions
 * then say `UNKNOWN`, the others `Unknown system error -122`.
 */
function nameOf(number: number): string | undefined {
  return Object.entries(constants.errno).find(([, known]) => known === number)?.[0]
}

/**
 * Windows' codes for a file that someone has open just now, one of our processes or a virus scanner. On other systems
 * an open file is in nobody's way, and these codes are final.
 */
export function isHeldOpen(error: unknown): boolean {
  return process.platform === 'win32' && isOneOf(error, ['EPERM', 'EACCES', 'EBUSY'])
}
