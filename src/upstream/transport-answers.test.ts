import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Cancellation, ProxyStopped } from '../cancellation.ts'
import { nowOrAtEndOfTurn } from '../runtime/end-of-turn.ts'
import { type AnswerBody, UpstreamSilent } from './answer.ts'
import { bytesOf } from './socket-read.ts'
import { exchange } from './transport.ts'

const IDLE_TIMEOUT = 10_000

/** What undici tells of one exchange, said by the test: `say` has its methods, `asked` what undici is asked for. */
function queued() {
  let handler: Dispatcher.DispatchHandler = {}
  const dispatcher = {
    dispatch(_options: unknown, given: Dispatcher.DispatchHandler) {
      handler = given
      return true
    },
  } as unknown as Dispatcher
  // As undici does: whom it aborts it tells why.
  const abort = vi.fn((reason: Error) => handler.onResponseError?.(controller, reason))
  const asked = { abort, pause: vi.fn(), resume: vi.fn(), rawHeaders: [Buffer.from('a view')] as unknown }
  const controller = asked as unknown as Dispatcher.DispatchController
  const wire = {
    origin: 'http://upstream.example',
    method: 'GET',
    path: '/',
    headers: [],
    body: undefined,
    idleTimeout: IDLE_TIMEOUT,
  }
  const cancellation = new Cancellation()
  return {
    cancellation,
    asked,
    answer: exchange(dispatcher, wire, cancellation),
    say: {
      start: () => handler.onRequestStart?.(controller, undefined),
      head: () => handler.onResponseStart?.(controller, 200, {}, 'OK'),
      bytes: (text: string) => handler.onResponseData?.(controller, Buffer.from(text)),
      end: () => handler.onResponseEnd?.(controller, {}),
      error: () => handler.onResponseError?.(controller, new Error('broken')),
    },
  }
}

/** The same once a connection has taken it. */
function scripted() {
  const exchanged = queued()
  exchanged.say.start()
  return exchanged
}

/** Takes the answer; what is told of it, in order. `atData` is done at each read. */
function taken(body: AnswerBody, atData = () => {}): string[] {
  const told: string[] = []
  body.pipe({
    data(read) {
      told.push(bytesOf(read).toString())
      atData()
    },
    end: () => told.push('end'),
    fail: (error) => told.push(error.message),
  })
  return told
}

/** Requests that work by turns, as under load. */
async function crowd(): Promise<void> {
  for (let work = 0; work < 40; work++) nowOrAtEndOfTurn(() => {})
  await nextTurn()
}

/** Requests that are alone and need not wait. */
async function calm(): Promise<void> {
  for (let turn = 0; turn < 9; turn++) {
    nowOrAtEndOfTurn(() => {})
    await nextTurn()
  }
}

describe.each([
  ['under load', crowd],
  ['alone', calm],
])('an answer of which much comes in one turn of the event loop, %s,', (_mode, begin) => {
  beforeEach(begin)

  test('that breaks off in the turn of its head has come: its bytes are told, then the failure', async () => {
    const { answer, say } = scripted()
    say.head()
    say.bytes('half')
    say.error()
    const told = taken((await answer).body)
    await nextTurn()
    expect(told).toEqual(['half', 'broken'])
  })

  test('and that is taken in the turn of its end is told whole, and once', async () => {
    const { answer, say } = scripted()
    say.head()
    const { body } = await answer
    say.bytes('all')
    say.end()
    const told = taken(body)
    await nextTurn()
    expect(told).toEqual(['all', 'end'])
  })

  test('and that was taken before is told whole, and once', async () => {
    const { answer, say } = scripted()
    say.head()
    const told = taken((await answer).body)
    say.bytes('all')
    say.end()
    await nextTurn()
    expect(told).toEqual(['all', 'end'])
  })

  test('is told as far as it has come when the proxy stops, and then why it ends', async () => {
    const { answer, say, cancellation } = scripted()
    say.head()
    const told = taken((await answer).body)
    say.bytes('half')
    const reason = new ProxyStopped()
    cancellation.cancel(reason)
    await nextTurn()
    expect(told).toEqual(['half', reason.message])
  })

  test('tells nothing after an abort, although all of it has come', async () => {
    const { answer, say } = scripted()
    say.head()
    const { body } = await answer
    const told = taken(body, () => body.abort())
    say.bytes('all')
    say.end()
    await nextTurn()
    expect(told).toEqual(['all'])
  })
})

test.each([new Error('The client left.'), new ProxyStopped()])(
  'what is cancelled before a connection takes it is never sent (%s)',
  async (reason) => {
    const { answer, say, asked, cancellation } = queued()
    cancellation.cancel(reason)
    await expect(answer).rejects.toBe(reason)
    say.start()
    expect(asked.abort.mock.calls).toEqual([[reason]])
  },
)

test('an answer that nobody takes is read no further than a quarter of a megabyte, until somebody does', async () => {
  const { answer, say, asked } = scripted()
  say.head()
  const { body } = await answer
  say.bytes('x'.repeat(256 * 1024))
  expect(asked.pause).not.toHaveBeenCalled()
  say.bytes('x')
  expect(asked.pause).toHaveBeenCalledOnce()
  expect(asked.resume).not.toHaveBeenCalled()
  taken(body)
  expect(asked.resume).toHaveBeenCalledOnce()
  say.bytes('x')
  expect(asked.pause).toHaveBeenCalledOnce()
  body.abort()
})

test('an answer that was not paused is not resumed: who takes it may have paused it by then', async () => {
  const { answer, say, asked } = scripted()
  say.head()
  const { body } = await answer
  say.bytes('x'.repeat(256 * 1024))
  taken(body)
  expect(asked.resume).not.toHaveBeenCalled()
  body.abort()
})

test('headers do not hold the memory of the first read', () => {
  const { say, asked } = scripted()
  say.head()
  expect(asked.rawHeaders).toBeNull()
})

test('what is cancelled after its end has come, but before that is told, tells nothing', async () => {
  await crowd()
  const { answer, say, cancellation } = scripted()
  say.head()
  const told = taken((await answer).body)
  say.bytes('all')
  say.end()
  cancellation.cancel(new Error('The client left.'))
  await nextTurn()
  expect(told).toEqual([])
})

describe('silence within an answer', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  test('begins anew with everything that comes', async () => {
    const { answer, say, asked } = scripted()
    say.head()
    taken((await answer).body)
    for (let part = 0; part < 3; part++) {
      vi.advanceTimersByTime(IDLE_TIMEOUT - 1)
      say.bytes('more')
      await nextTurn()
      await nextTurn()
    }
    expect(asked.abort).not.toHaveBeenCalled()
    vi.advanceTimersByTime(IDLE_TIMEOUT)
    const message = 'Upstream was silent for 10 s in the middle of its answer (--idle-timeout).'
    expect(asked.abort).toHaveBeenCalledExactlyOnceWith(new UpstreamSilent(message))
  })

  test.each(['end', 'error'] as const)('is not waited for after the last bytes and the %s', async (last) => {
    const { answer, say } = scripted()
    say.head()
    taken((await answer).body)
    say.bytes('all')
    say[last]()
    await nextTurn()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is not waited for after an abort', async () => {
    const { answer, say } = scripted()
    say.head()
    const { body } = await answer
    taken(body)
    body.abort()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is not waited for when the answer was over before somebody took it', async () => {
    const { answer, say } = scripted()
    say.head()
    const { body } = await answer
    say.bytes('all')
    expect(body.over).toBe(false)
    say.end()
    expect(body.over).toBe(true)
    await nextTurn()
    expect(taken(body)).toEqual(['all', 'end'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is not waited for when who takes the answer has enough of what came before', async () => {
    const { answer, say } = scripted()
    say.head()
    const { body } = await answer
    say.bytes('all')
    await nextTurn()
    await nextTurn()
    expect(taken(body, () => body.abort())).toEqual(['all'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
