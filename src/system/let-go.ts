import { closeSync } from 'node:fs'

/**
 * Closes a file from which nothing is expected any more. A failure (a full disk over the network tells it only now) is no
 * reason to keep it: its number may already be that of another file or connection.
 */
export function letGo(file: number): void {
  try {
    closeSync(file)
  } catch {
    // Closed all the same, or before.
  }
}
