import { codeOf } from './error-code.ts'

/** Node's file error codes, in words. */
const FILE_ERRORS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
  EDQUOT: 'your disk quota is used up',
  EIO: 'reading or writing failed (EIO)',
  ESTALE: 'its server no longer knows it (ESTALE)',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
  EBUSY: 'it is busy or locked',
  EEXIST: 'something else is there',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links form a loop',
  ENAMETOOLONG: 'the name is too long',
  ENXIO: 'nobody reads that pipe',
}

/** What happened, in words where Node only names a code. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = codeOf(error)
  if (code === undefined || !('path' in error)) return error.message
  return `Can't use ${String(error.path)}: ${FILE_ERRORS[code] ?? code}.`
}

/** For `catch`: adds the remedy to an error about a file; any other error is rethrown unchanged. */
export function withRemedy(remedy: string | ((error: Error) => string)): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error && 'path' in error)) throw error
    const what = typeof remedy === 'string' ? remedy : remedy(error)
    throw new Error(`${describeError(error)} ${what}`, { cause: error })
  }
}
