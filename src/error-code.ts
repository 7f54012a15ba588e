/** Of errors of the system and of Node, as `ENOENT`. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

export function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return codes.some((code) => isCode(error, code))
}

/** Undefined for an error that has none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
