// Values of NODE_OPTIONS: what they name is loaded before the program.

export function preload(code: string): string {
  return `--import=data:text/javascript,${encodeURIComponent(code)}`
}

/** What `process` says of itself to the program. */
export function preloadProcess(property: 'platform' | 'execPath' | 'versions', value: unknown): string {
  return preload(`Object.defineProperty(process, '${property}', { value: ${JSON.stringify(value)} })`)
}

const preloadFile = (file: URL) => `--import=${file}`

/** Makes the program take its system for macOS. */
export const LIKE_MACOS = preloadProcess('platform', 'darwin')
/** Makes it take its system for Windows, where any signal ends a process at once. */
export const LIKE_WINDOWS = preloadFile(new URL('./like-windows.mjs', import.meta.url))
/** Makes it see file ids as NTFS has them. */
export const LIKE_NTFS = preloadFile(new URL('./like-ntfs.mjs', import.meta.url))
/** Lets a test set its clocks. */
export const SETTABLE_CLOCK = preloadFile(new URL('./settable-clock.mjs', import.meta.url))
/** Makes it do only what it does at once. */
export const ONLY_AT_ONCE = preloadFile(new URL('./only-at-once.mjs', import.meta.url))
