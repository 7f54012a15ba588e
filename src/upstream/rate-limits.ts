import type { IncomingHttpHeaders } from 'node:http'

type RateLimitWindow = {
  /** Percent of the window that is used, 0 to 100. */
  readonly usedPercent: number
  readonly windowMinutes: number | undefined
  /** Unix seconds. */
  readonly resetsAt: number | undefined
}

type RateLimitWindows = {
  readonly primary: RateLimitWindow | undefined
  readonly secondary: RateLimitWindow | undefined
}

type Credits = { readonly has: boolean; readonly unlimited: boolean; readonly balance: string | undefined }

/**
 * The account's limits as the ChatGPT backend reports them with each answer (docs/upstream.md 6.1). What it does not
 * report is undefined, which JSON leaves out.
 */
type AccountLimits = RateLimitWindows & {
  readonly plan: string | undefined
  /** Which family of limits the request counted against, e.g. `codex`. */
  readonly active: string | undefined
  readonly reached: string | undefined
  readonly credits: Credits | undefined
  /** Further families by id, with their display names. */
  readonly others: Readonly<Record<string, RateLimitWindows & { readonly name: string | undefined }>> | undefined
  /** When this was reported, in milliseconds since the epoch. */
  readonly noticedAt: number
}

const FAMILY = /^x-([\w-]+)-(?:primary|secondary)-used-percent$/

/** Keeps the latest headers, and parses them only on demand. */
export class RateLimits {
  #noticed: { readonly headers: IncomingHttpHeaders; readonly at: number } | undefined

  /** `now` in milliseconds since the epoch. Answers without these headers change nothing. */
  notice(headers: IncomingHttpHeaders, now: number): void {
    if (headers['x-codex-plan-type'] === undefined && headers['x-codex-primary-used-percent'] === undefined) return
    this.#noticed = { headers, at: now }
  }

  last(): AccountLimits | undefined {
    return this.#noticed && readRateLimits(this.#noticed.headers, this.#noticed.at)
  }
}

export function readRateLimits(headers: IncomingHttpHeaders, now: number): AccountLimits {
  const others = otherFamilies(headers, now)
  return {
    plan: headerOf(headers, 'x-codex-plan-type'),
    active: headerOf(headers, 'x-codex-active-limit'),
    reached: headerOf(headers, 'x-codex-rate-limit-reached-type'),
    credits: creditsOf(headers),
    others: Object.keys(others).length > 0 ? others : undefined,
    ...windowsOf(headers, 'codex', now),
    noticedAt: now,
  }
}

function otherFamilies(headers: IncomingHttpHeaders, now: number): NonNullable<AccountLimits['others']> {
  const ids = new Set(Object.keys(headers).flatMap((name) => FAMILY.exec(name)?.[1] ?? []))
  ids.delete('codex')
  return Object.fromEntries(
    [...ids].map((id) => [id, { name: headerOf(headers, `x-${id}-limit-name`), ...windowsOf(headers, id, now) }]),
  )
}

function windowsOf(headers: IncomingHttpHeaders, family: string, now: number): RateLimitWindows {
  return {
    primary: windowOf(headers, `x-${family}-primary`, now),
    secondary: windowOf(headers, `x-${family}-secondary`, now),
  }
}

function windowOf(headers: IncomingHttpHeaders, prefix: string, now: number): RateLimitWindow | undefined {
  const usedPercent = numberOf(headers, `${prefix}-used-percent`)
  const windowMinutes = numberOf(headers, `${prefix}-window-minutes`)
  // A window of zero minutes is upstream's way to say that there is none.
  if (usedPercent === undefined || windowMinutes === 0) return undefined
  const resetsAfter = numberOf(headers, `${prefix}-reset-after-seconds`)
  const fromNow = resetsAfter === undefined ? undefined : Math.round(now / 1000 + resetsAfter)
  return { usedPercent, windowMinutes, resetsAt: numberOf(headers, `${prefix}-reset-at`) ?? fromNow }
}

function creditsOf(headers: IncomingHttpHeaders): Credits | undefined {
  const has = headerOf(headers, 'x-codex-credits-has-credits')
  if (has === undefined) return undefined
  return {
    has: isTrue(has),
    unlimited: isTrue(headerOf(headers, 'x-codex-credits-unlimited')),
    balance: headerOf(headers, 'x-codex-credits-balance'),
  }
}

/** Upstream writes `True` and `False`. */
function isTrue(text: string | undefined): boolean {
  return text?.toLowerCase() === 'true'
}

function numberOf(headers: IncomingHttpHeaders, name: string): number | undefined {
  const number = Number(headerOf(headers, name))
  return Number.isFinite(number) ? number : undefined
}

/** Undefined for a header that is missing or empty. */
function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? undefined : text
}
