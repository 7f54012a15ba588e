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
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

/**
 * Windows' codes for a name that somebody has open just now, one of our processes or a virus scanner; on other systems an
 * open file is in nobody's way, and they are final.
 */
export function isHeldOpen(error: unknown): boolean {
  return process.platform === 'win32' && isOneOf(error, ['EPERM', 'EACCES', 'EBUSY'])
}
