import { onTestFinished } from 'vitest'

const OURS = process.platform

/** Makes the program take this system for another one until the test ends, or the returned function is called. */
export function playPlatform(name: NodeJS.Platform): () => void {
  const leave = () => set(OURS)
  set(name)
  onTestFinished(leave)
  return leave
}

function set(value: NodeJS.Platform): void {
  Object.defineProperty(process, 'platform', { value })
}
