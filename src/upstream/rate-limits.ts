import type { IncomingHttpHeaders } from 'node:http'

type RateLimitWindow = {
  /** Percent of the window that is used, 0 to 100. */
  readonly usedPercent: number
  readonly windowMinutes?: number
  /** Unix seconds. */
  readonly resetsAt?: number
}

type RateLimitWindows = {
  readonly primary?: RateLimitWindow
  readonly secondary?: RateLimitWindow
}

/** The limits of the account as the ChatGPT backend tells them with each answer (docs/upstream.md 6.1). */
export type AccountLimits = RateLimitWindows & {
  readonly plan?: string
  /** Which family of limits the request counted against, e.g. `codex`. */
  readonly active?: string
  readonly reached?: string
  readonly credits?: { readonly has: boolean; readonly unlimited: boolean; readonly balance?: string }
  /** Further families by their id, with the name a person knows them by. */
  readonly others?: Readonly<Record<string, RateLimitWindows & { readonly name?: string }>>
  /** When this was said, in milliseconds since the epoch. */
  readonly noticedAt: number
}

const FAMILY = /^x-([\w-]+?)-(?:primary|secondary)-used-percent$/

/** Keeps what was said last. Noticing costs next to nothing; the headers are read when somebody asks. */
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

/** Values may be missing or empty: what isn't said has no field. */
export function readRateLimits(headers: IncomingHttpHeaders, now: number): AccountLimits {
  const others = otherFamilies(headers, now)
  return {
    ...definedOnly({
      plan: textOf(headers, 'x-codex-plan-type'),
      active: textOf(headers, 'x-codex-active-limit'),
      reached: textOf(headers, 'x-codex-rate-limit-reached-type'),
      credits: creditsOf(headers),
      others: Object.keys(others).length > 0 ? others : undefined,
    }),
    ...windowsOf(headers, 'codex', now),
    noticedAt: now,
  }
}

function otherFamilies(headers: IncomingHttpHeaders, now: number): NonNullable<AccountLimits['others']> {
  const ids = new Set(Object.keys(headers).flatMap((name) => FAMILY.exec(name)?.[1] ?? []))
  ids.delete('codex')
  return Object.fromEntries(
    [...ids].map((id) => {
      const name = textOf(headers, `x-${id}-limit-name`)
      return [id, { ...definedOnly({ name }), ...windowsOf(headers, id, now) }]
    }),
  )
}

function windowsOf(headers: IncomingHttpHeaders, family: string, now: number): RateLimitWindows {
  return definedOnly({
    primary: windowOf(headers, `x-${family}-primary`, now),
    secondary: windowOf(headers, `x-${family}-secondary`, now),
  })
}

function windowOf(headers: IncomingHttpHeaders, prefix: string, now: number): RateLimitWindow | undefined {
  const usedPercent = numberOf(headers, `${prefix}-used-percent`)
  if (usedPercent === undefined) return undefined
  const resetsAfter = numberOf(headers, `${prefix}-reset-after-seconds`)
  const fromNow = resetsAfter === undefined ? undefined : Math.round(now / 1000 + resetsAfter)
  return {
    usedPercent,
    ...definedOnly({
      windowMinutes: numberOf(headers, `${prefix}-window-minutes`),
      resetsAt: numberOf(headers, `${prefix}-reset-at`) ?? fromNow,
    }),
  }
}

function creditsOf(headers: IncomingHttpHeaders): AccountLimits['credits'] {
  const has = textOf(headers, 'x-codex-credits-has-credits')
  if (has === undefined) return undefined
  return {
    has: isTrue(has),
    unlimited: isTrue(textOf(headers, 'x-codex-credits-unlimited')),
    ...definedOnly({ balance: textOf(headers, 'x-codex-credits-balance') }),
  }
}

/** Upstream writes `True` and `False`. */
function isTrue(text: string | undefined): boolean {
  return text?.toLowerCase() === 'true'
}

function numberOf(headers: IncomingHttpHeaders, name: string): number | undefined {
  const number = Number(textOf(headers, name))
  return Number.isFinite(number) ? number : undefined
}

function textOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? undefined : text
}

type Defined<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> }

function definedOnly<Fields extends object>(fields: Fields): Defined<Fields> {
  // Object.entries can't say that the names stay the same.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<Fields>
}
