import { asNumber, type JsonObject } from '../../json-object.ts'

export type UpstreamHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** The headers of an answer that concern limits. */
export const LIMIT_HEADER = /^(?:retry-after|x-ratelimit-|x-codex-(?:primary|secondary|rate-limit-reached)-)/

const PASSED = /^(?:retry-after(?:-ms)?|x-ratelimit-[\w-]+)$/
const TRY_AGAIN = /try again in (\d+(?:\.\d+)?) ?(ms|s|seconds?)\b/i
const LONGEST_SECONDS = 366 * 24 * 3600

/**
 * Headers that tell a client when to retry: what upstream sent under those names, else `retry-after` and
 * `x-ratelimit-*` derived from what it says elsewhere: `resets_in_seconds`, `resets_at` (Unix seconds), the `x-codex-*`
 * headers of exhausted windows, or the message. `now` in milliseconds since the epoch.
 */
export function limitHeaders(
  error: JsonObject,
  message: string,
  headers: UpstreamHeaders,
  now: number | undefined,
): Record<string, string> {
  const passed: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (PASSED.test(name) && typeof value === 'string') passed[name] = value
  }
  const limitSeconds = bounded(untilReset(error, now) ?? untilWindowsReset(headers, now))
  const seconds = limitSeconds ?? bounded(askedWait(message))
  if (seconds === undefined) return passed
  const limit = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': duration(seconds) }
  return { 'retry-after': String(seconds), ...(limitSeconds !== undefined && limit), ...passed }
}

function untilReset(error: JsonObject, now: number | undefined): number | undefined {
  const seconds = asNumber(error.resets_in_seconds)
  const at = asNumber(error.resets_at)
  return seconds ?? (at === undefined || now === undefined ? undefined : at - now / 1000)
}

/** A request is served again when the last of the exhausted windows has passed. */
function untilWindowsReset(headers: UpstreamHeaders, now: number | undefined): number | undefined {
  const waits = ['primary', 'secondary'].flatMap((window) => {
    const header = (name: string) => headerNumber(headers[`x-codex-${window}-${name}`])
    if ((header('used-percent') ?? 0) < 100) return []
    const at = header('reset-at')
    return header('reset-after-seconds') ?? (at === undefined || now === undefined ? [] : at - now / 1000)
  })
  return waits.length === 0 ? undefined : Math.max(...waits)
}

function askedWait(message: string): number | undefined {
  const [, amount, unit] = TRY_AGAIN.exec(message) ?? []
  return amount === undefined ? undefined : Number(amount) / (unit?.toLowerCase() === 'ms' ? 1000 : 1)
}

function headerNumber(value: string | readonly string[] | undefined): number | undefined {
  return typeof value === 'string' && value.trim() !== '' ? asNumber(Number(value)) : undefined
}

function bounded(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.min(LONGEST_SECONDS, Math.max(0, Math.ceil(seconds)))
}

/** As OpenAI writes it: `3h51m12s`. */
function duration(seconds: number): string {
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const parts = [hours > 0 ? `${hours}h` : '', hours > 0 || minutes > 0 ? `${minutes}m` : '', `${seconds % 60}s`]
  return parts.join('')
}
