import { statSync } from 'node:fs'

/** Whether the mode of a file or folder lets other users in. */
export function isOpenToOthers(path: string): boolean {
  // Windows has no such bits; Node makes them up there.
  if (process.platform === 'win32') return false
  try {
    const found = statSync(path)
    // `/dev/null` is meant for everybody.
    return !found.isCharacterDevice() && (found.mode & 0o077) !== 0
  } catch {
    return false // It is not there.
  }
}
