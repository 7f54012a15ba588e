// Values of NODE_OPTIONS: what they name is loaded before the program.

export function preload(code: string): string {
  return `--import=data:text/javascript,${encodeURIComponent(code)}`
}

/** What `process` says of itself to the program. */
export function preloadProcess(property: 'platform' | 'execPath' | 'versions', value: unknown): string {
  return preload(`Object.defineProperty(process, '${property}', { value: ${JSON.stringify(value)} })`)
}

const preloadFile = (name: string) => `--import=${new URL(name, import.meta.url)}`

/** Makes the program take its system for macOS. */
export const LIKE_MACOS = preloadProcess('platform', 'darwin')
/** Makes it take its system for Windows, where any signal ends a process at once. */
export const LIKE_WINDOWS = preloadFile('like-windows.mjs')
/** Makes it see file ids as NTFS has them. */
export const LIKE_NTFS = preloadFile('like-ntfs.mjs')
/** Lets a test set its clocks. */
export const SETTABLE_CLOCK = preloadFile('settable-clock.mjs')
/** Makes it do only what it does at once. */
export const ONLY_AT_ONCE = preloadFile('only-at-once.mjs')
