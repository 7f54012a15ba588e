import { closeSync } from 'node:fs'

/**
 * Closes a file that is no longer needed. A failure (for example a full network drive that reports it only now) is no
 * reason to try again: the descriptor may already belong to another file or connection.
 */
export function closeQuietly(file: number): void {
  try {
    closeSync(file)
  } catch {
    // Closed all the same, or before.
  }
}
