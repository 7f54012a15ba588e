import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, expect, test, vi } from 'vitest'
import type { Config } from '../../config/options.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { createLazyOutbound } from './lazy-outbound.ts'
import { type OutboundRoute, openOutboundRoute } from './outbound-route.ts'

vi.mock(import('./outbound-route.ts'), { spy: true })

const opening = vi.mocked(openOutboundRoute)
const UPSTREAM = new URL('https://upstream.example')
const CONFIG = {} as Config
const LOGGER = {} as Logger

const close = vi.fn(async () => {})
const described = { proxy: 'none', origin: 'none', inUse: false } as const
const parts: Partial<OutboundRoute> = { close, describe: () => described }
const route = parts as OutboundRoute

beforeEach(() => {
  close.mockReset()
  opening.mockReset().mockResolvedValue(route)
})

test('the way to upstream is opened once, for all who ask meanwhile, and is at hand from then on', async () => {
  const outbound = createLazyOutbound(CONFIG, LOGGER)
  expect(await Promise.all([outbound.get(), outbound.get()])).toEqual([route, route])
  expect(outbound.get()).toBe(route)
  expect(opening.mock.calls).toEqual([[CONFIG, LOGGER]])
})

test('a failure to open it is told to who asks, and tried again at the next', async () => {
  const failure = new Error('EMFILE')
  opening.mockRejectedValueOnce(failure)
  const outbound = createLazyOutbound(CONFIG, LOGGER)
  await expect(outbound.get()).rejects.toBe(failure)
  expect(await outbound.get()).toBe(route)
})

test('what is said of it opens nothing', async () => {
  const outbound = createLazyOutbound(CONFIG, LOGGER)
  expect(outbound.describe(UPSTREAM)).toEqual({ state: 'starting' })
  expect(opening).not.toHaveBeenCalled()
  await outbound.get()
  expect(outbound.describe(UPSTREAM)).toBe(described)
})

test('what is just being opened is closed too, and the end of that waited for', async () => {
  const outbound = createLazyOutbound(CONFIG, LOGGER)
  let isClosed = false
  close.mockImplementation(async () => {
    await nextTurn()
    isClosed = true
  })
  void outbound.get()
  await outbound.close()
  expect(isClosed).toBe(true)
})

test('what was never opened, or could not be, needs no close', async () => {
  const outbound = createLazyOutbound(CONFIG, LOGGER)
  await outbound.close()
  opening.mockRejectedValueOnce(new Error('EMFILE'))
  const failing = expect(outbound.get()).rejects.toThrow('EMFILE')
  await outbound.close()
  await failing
  expect(close).not.toHaveBeenCalled()
})
