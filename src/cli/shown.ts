import type { Option } from '../config/option.ts'

/** A setting's value as a person would write it: `64MB`, `10m`, `a, b`; a secret only says that it is set. */
export function shownValue(option: Option<unknown>, value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '-'
  if (option.secret === 'whole') return '(set)'
  if (option.secret === 'login') return withoutLogin(String(value))
  if (Array.isArray(value)) return value.join(', ')
  if (typeof value !== 'number') return String(value)
  if (option.flag?.endsWith('<size>')) return shownSize(value)
  if (option.flag?.endsWith('<duration>')) return shownDuration(value)
  return String(value)
}

/** Whether a part of the value must not be shown; in a URL an `@` follows a login. */
export function holdsSecret({ secret }: Option<unknown>, value: unknown): boolean {
  return secret === 'whole' || (secret === 'login' && String(value).includes('@'))
}

/** A URL without its login and path. */
function withoutLogin(value: string): string {
  if (value === 'none') return value
  const url = new URL(value)
  return `${url.protocol}//${url.username === '' && url.password === '' ? '' : '(login)@'}${url.host}`
}

/** Bytes in the largest unit that divides them: `64MB`, `64k`, `100`. */
function shownSize(bytes: number): string {
  if (bytes % 1024 ** 3 === 0) return `${bytes / 1024 ** 3}GB`
  if (bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}MB`
  return bytes % 1024 === 0 ? `${bytes / 1024}k` : String(bytes)
}

/** Milliseconds in the largest unit that divides them: `10m`, `15s`, `500ms`. */
function shownDuration(milliseconds: number): string {
  if (milliseconds % 3_600_000 === 0) return `${milliseconds / 3_600_000}h`
  if (milliseconds % 60_000 === 0) return `${milliseconds / 60_000}m`
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`
}

/** A moment in milliseconds since the epoch, to the minute: `2026-11-30 16:45 UTC`. */
export function utcMinute(moment: number): string {
  return `${new Date(moment).toISOString().slice(0, 'yyyy-mm-ddThh:mm'.length).replace('T', ' ')} UTC`
}

/** How far away a moment is, roughly: `in 3 h`, `2 days ago`. Both in milliseconds since the epoch. */
export function fromNow(moment: number, now: number): string {
  const away = about(Math.abs(moment - now) / 1000)
  return moment >= now ? `in ${away}` : `${away} ago`
}

/** A length of time in its usual unit, rounded. */
export function about(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}
