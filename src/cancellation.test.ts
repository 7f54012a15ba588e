import { expect, onTestFinished, test, vi } from 'vitest'
import { Cancellation, withDeadline } from './cancellation.ts'

const LEFT = new Error('left')

test('cancels what was added, once and with the first reason, and not what was removed', () => {
  const cancellation = new Cancellation()
  const [kept, removed] = [{ cancel: vi.fn() }, { cancel: vi.fn() }]
  cancellation.add(kept)
  cancellation.remove(cancellation.add(removed))
  expect(cancellation.reason).toBeUndefined()
  cancellation.cancel(LEFT)
  cancellation.cancel(new Error('later'))
  expect(cancellation.reason).toBe(LEFT)
  expect(kept.cancel.mock.calls).toEqual([[LEFT]])
  expect(removed.cancel).not.toHaveBeenCalled()
})

test('what comes too late is cancelled at once', () => {
  const cancellation = new Cancellation()
  cancellation.cancel(LEFT)
  expect(cancellation.add(new Cancellation()).reason).toBe(LEFT)
})

test('work that takes itself off while it is cancelled costs no other its turn', () => {
  const cancellation = new Cancellation()
  const first = { cancel: () => cancellation.remove(first) }
  const second = { cancel: vi.fn() }
  cancellation.add(first)
  cancellation.add(second)
  cancellation.cancel(LEFT)
  expect(second.cancel).toHaveBeenCalledOnce()
})

test('what is taken off, was never added or is gone already takes nothing else off', () => {
  const cancellation = new Cancellation()
  const [removed, kept, gone] = [{ cancel: vi.fn() }, { cancel: vi.fn() }, { cancel: vi.fn() }]
  cancellation.add(removed)
  cancellation.add(kept)
  cancellation.remove(removed)
  cancellation.remove(gone)
  cancellation.cancel(LEFT)
  expect(kept.cancel).toHaveBeenCalledOnce()
})

test('a race ends with the outcome or with the reason, whichever is first', async () => {
  const cancellation = new Cancellation()
  expect(await cancellation.race(Promise.resolve('done'))).toBe('done')
  await expect(cancellation.race(Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  const endless = cancellation.race(new Promise(() => {}))
  cancellation.cancel(LEFT)
  await expect(endless).rejects.toBe(LEFT)
  await expect(cancellation.race(new Promise(() => {}))).rejects.toBe(LEFT)
})

test('a delay passes, or ends with the reason', async () => {
  const cancellation = new Cancellation()
  await cancellation.delay(0)
  const long = cancellation.delay(100_000)
  cancellation.cancel(LEFT)
  await expect(long).rejects.toBe(LEFT)
})

test('a delay that has passed is held no longer', async () => {
  const cancellation = new Cancellation()
  const remove = vi.spyOn(cancellation, 'remove')
  const add = vi.spyOn(cancellation, 'add')
  await cancellation.delay(0)
  expect(remove.mock.calls).toEqual(add.mock.calls)
})

test('a delay that was cancelled leaves no timer', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const cancellation = new Cancellation()
  const delay = cancellation.delay(100_000)
  cancellation.cancel(LEFT)
  await expect(delay).rejects.toBe(LEFT)
  expect(vi.getTimerCount()).toBe(0)
})

test('work that outlasts its deadline is cancelled with what it is late for', async () => {
  expect(await withDeadline(100_000, LEFT, async () => 'in time')).toBe('in time')
  const cancelled = vi.fn()
  const late = withDeadline(0, LEFT, (deadline) => {
    deadline.add({ cancel: cancelled })
    return new Promise(() => {})
  })
  await expect(late).rejects.toBe(LEFT)
  expect(cancelled).toHaveBeenCalledWith(LEFT)
})

test('work with a deadline also ends with what it is part of', async () => {
  const outer = new Cancellation()
  const work = withDeadline(100_000, new Error('late'), () => new Promise(() => {}), outer)
  outer.cancel(LEFT)
  await expect(work).rejects.toBe(LEFT)
})

test('work that ended in time leaves no timer, and is not cancelled with what it was part of', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const outer = new Cancellation()
  const deadline = await withDeadline(100_000, new Error('late'), async (own) => own, outer)
  expect(vi.getTimerCount()).toBe(0)
  outer.cancel(LEFT)
  expect(deadline.reason).toBeUndefined()
})
