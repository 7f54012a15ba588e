import { describe, expect, test } from 'vitest'
import { RateLimits, readRateLimits } from './rate-limits.ts'

const NOW = 1_795_000_000_000

/** As captured from the live backend (docs/upstream.md 6.1). */
const HEADERS = {
  'x-codex-active-limit': 'codex',
  'x-codex-plan-type': 'plus',
  'x-codex-primary-used-percent': '12',
  'x-codex-primary-window-minutes': '299',
  'x-codex-primary-reset-after-seconds': '9000',
  'x-codex-primary-reset-at': '1795009000',
  'x-codex-secondary-used-percent': '31',
  'x-codex-secondary-window-minutes': '10079',
  'x-codex-secondary-reset-after-seconds': '167364',
  'x-codex-credits-has-credits': 'False',
  'x-codex-credits-unlimited': 'False',
  'x-codex-credits-balance': '',
}

describe('the limits of the account', () => {
  test('are read from the headers of an answer', () => {
    expect(readRateLimits(HEADERS, NOW)).toEqual({
      plan: 'plus',
      active: 'codex',
      primary: { usedPercent: 12, windowMinutes: 299, resetsAt: 1_795_009_000 },
      secondary: { usedPercent: 31, windowMinutes: 10_079, resetsAt: 1_795_167_364 },
      credits: { has: false, unlimited: false },
      noticedAt: NOW,
    })
  })

  test('leave out what is empty, missing or no number', () => {
    const headers = {
      'x-codex-plan-type': 'pro ',
      'x-codex-primary-used-percent': '',
      'x-codex-secondary-used-percent': 'none',
      'x-codex-credits-has-credits': 'True',
      'x-codex-credits-unlimited': '',
      'x-codex-credits-balance': '12.5',
    }
    expect(JSON.parse(JSON.stringify(readRateLimits(headers, NOW)))).toStrictEqual({
      plan: 'pro',
      credits: { has: true, unlimited: false, balance: '12.5' },
      noticedAt: NOW,
    })
  })

  test('leave out a window of no minutes, which stands for the second one of an account that has a week only', () => {
    const headers = {
      'x-codex-primary-used-percent': '4',
      'x-codex-primary-window-minutes': '10080',
      'x-codex-primary-reset-at': '1795501305',
      'x-codex-secondary-used-percent': '0',
      'x-codex-secondary-window-minutes': '0',
      'x-codex-secondary-reset-after-seconds': '0',
      'x-codex-secondary-reset-at': '',
    }
    expect(readRateLimits(headers, NOW)).toEqual({
      primary: { usedPercent: 4, windowMinutes: 10_080, resetsAt: 1_795_501_305 },
      noticedAt: NOW,
    })
  })

  test('tell which of them was reached, and that credits have no end', () => {
    const headers = {
      'x-codex-rate-limit-reached-type': 'primary',
      'x-codex-credits-has-credits': 'True',
      'x-codex-credits-unlimited': 'True',
    }
    expect(readRateLimits(headers, NOW)).toEqual({
      reached: 'primary',
      credits: { has: true, unlimited: true },
      noticedAt: NOW,
    })
  })

  test('of further families stand under their own id', () => {
    const headers = {
      ...HEADERS,
      'x-gpt-6-astra-primary-used-percent': '80',
      'x-gpt-6-astra-primary-window-minutes': '10080',
      'x-gpt-6-astra-limit-name': 'GPT-6 Astra',
      'x-other-primary-used-percent-before': '70',
      'not-x-other-primary-used-percent': '70',
    }
    expect(readRateLimits(headers, NOW).others).toEqual({
      'gpt-6-astra': { name: 'GPT-6 Astra', primary: { usedPercent: 80, windowMinutes: 10_080 } },
    })
  })

  test('of a window end at the time that is told, rather than one reckoned from now', () => {
    const headers = {
      'x-codex-primary-used-percent': '50',
      'x-codex-primary-reset-after-seconds': '1',
      'x-codex-primary-reset-at': '1795009000',
    }
    expect(readRateLimits(headers, NOW)).toEqual({
      primary: { usedPercent: 50, resetsAt: 1_795_009_000 },
      noticedAt: NOW,
    })
  })

  test.each(['x-codex-plan-type', 'x-codex-primary-used-percent'])('are noticed by %s alone', (name) => {
    const limits = new RateLimits()
    limits.notice({ [name]: '7' }, NOW)
    expect(limits.last()).toMatchObject({ noticedAt: NOW })
  })

  test('are those of the last answer that told them', () => {
    const limits = new RateLimits()
    expect(limits.last()).toBeUndefined()
    limits.notice(HEADERS, NOW)
    limits.notice({ 'content-type': 'text/html' }, NOW + 1000)
    expect(limits.last()).toMatchObject({ plan: 'plus', noticedAt: NOW })
    limits.notice({ ...HEADERS, 'x-codex-primary-used-percent': '99' }, NOW + 2000)
    expect(limits.last()).toMatchObject({ primary: { usedPercent: 99 }, noticedAt: NOW + 2000 })
  })
})
