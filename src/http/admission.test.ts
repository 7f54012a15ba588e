import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cancellation } from '../cancellation.ts'
import { createAdmission, type Release } from './admission.ts'

const never = new Cancellation()

test('requests enter at once while there is room', () => {
  const admission = createAdmission({ maxConcurrent: 2, maxQueue: 0 })
  expect(admission.enter(never)).toBeTypeOf('function')
  expect(admission.enter(never)).toBeTypeOf('function')
  expect(() => admission.enter(never)).toThrow()
  expect(admission.running).toBe(2)
})

test('a place that gets free goes to whoever waited longest', async () => {
  const admission = createAdmission({ maxConcurrent: 1, maxQueue: 2 })
  const leave = await admission.enter(never)
  const order: string[] = []
  const enter = async (name: string) => {
    const left = await admission.enter(never)
    order.push(name)
    left()
  }
  const both = [enter('first'), enter('second')]
  expect(admission.waiting).toBe(2)
  leave()
  await Promise.all(both)
  expect(order).toEqual(['first', 'second'])
  expect([admission.running, admission.waiting]).toEqual([0, 0])
})

test('nobody overtakes the queue', async () => {
  const admission = createAdmission({ maxConcurrent: 1, maxQueue: 1 })
  const leave = await admission.enter(never)
  const waiting = admission.enter(never)
  leave()
  const late = admission.enter(never)
  expect(late).toBeInstanceOf(Promise)
  ;(await waiting)()
  expect(await late).toBeTypeOf('function')
})

test('a full queue answers 429 with Retry-After', async () => {
  const admission = createAdmission({ maxConcurrent: 1, maxQueue: 0 })
  await admission.enter(never)
  await expect(async () => admission.enter(never)).rejects.toMatchObject({
    status: 429,
    code: 'too_many_requests',
    headers: { 'retry-after': '1' },
  })
})

test.each([
  ['leaves', false],
  ['left before it came', true],
])('a client that %s gives up its place in the queue', async (_when, isGone) => {
  const admission = createAdmission({ maxConcurrent: 1, maxQueue: 1 })
  const leave = await admission.enter(never)
  const client = new Cancellation()
  if (isGone) client.cancel(new Error('left'))
  const gone = admission.enter(client)
  client.cancel(new Error('left'))
  await expect(gone).rejects.toThrow('left')
  expect(admission.waiting).toBe(0)
  leave()
  expect(admission.running).toBe(0)
})

test('no place is lost or given twice, whatever clients do', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ act: fc.constantFrom('enter', 'leave', 'cancel'), at: fc.nat(20) }), { maxLength: 60 }),
      async (acts) => {
        const admission = createAdmission({ maxConcurrent: 3, maxQueue: 4 })
        const inside: Release[] = []
        const clients: Cancellation[] = []
        for (const { act, at } of acts) {
          if (act === 'leave') inside.splice(at % Math.max(1, inside.length), 1)[0]?.()
          if (act === 'cancel') clients[at % Math.max(1, clients.length)]?.cancel(new Error('left'))
          if (act === 'enter') {
            const client = new Cancellation()
            clients.push(client)
            const enter = async () => inside.push(await admission.enter(client))
            enter().catch(() => {})
          }
          await new Promise((resolve) => setImmediate(resolve))
          expect(admission.running).toBe(inside.length)
          expect(inside.length).toBeLessThanOrEqual(3)
          expect(admission.waiting === 0 || inside.length === 3).toBe(true)
        }
      },
    ),
    { numRuns: 60 },
  )
})
