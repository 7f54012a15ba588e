import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { turnLines } from './turn-lines.ts'

function collect() {
  const written: string[] = []
  return { written, lines: turnLines({ write: (text) => written.push(text) }) }
}

test('the lines of one turn go out in one write, in their order', async () => {
  const { written, lines } = collect()
  lines.write('one\n')
  lines.write('two\n')
  expect(written).toEqual([])
  await nextTurn()
  lines.write('three\n')
  await nextTurn()
  expect(written).toEqual(['one\ntwo\n', 'three\n'])
})

test('what is held at the end is written then, once', async () => {
  const { written, lines } = collect()
  lines.write('last\n')
  lines.flush()
  expect(written).toEqual(['last\n'])
  await nextTurn()
  expect(written).toEqual(['last\n'])
})
