import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { createPrint } from './print.ts'

function terminal({ isTTY = false, env = {} }: { isTTY?: boolean; env?: Record<string, string> } = {}) {
  const open = () => {
    const written: string[] = []
    return Object.assign(new EventEmitter(), { isTTY, written, write: (text: string) => written.push(text) })
  }
  const [stdout, stderr] = [open(), open()]
  return { stdout, stderr, print: createPrint({ stdout, stderr, env }) }
}

test('results go to stdout, remarks to stderr', () => {
  const { stdout, stderr, print } = terminal()
  print.line('result')
  print.json({ a: 1 })
  print.note('remark')
  expect(stdout.written.join('')).toBe('result\n{\n  "a": 1\n}\n')
  expect(stderr.written.join('')).toBe('remark\n')
})

test('columns are aligned by what is visible, and the last is as long as it is', () => {
  const { stdout, print } = terminal({ isTTY: true })
  print.table([
    ['a', 'b', 'c'],
    [print.style('bold', 'long'), '', 'and longer'],
  ])
  expect(stdout.written.join('')).toBe('a     b  c\n\u001b[1mlong\u001b[22m     and longer\n')
})

test.each([
  ['a terminal', { isTTY: true }, true],
  ['a pipe', { isTTY: false }, false],
  ['NO_COLOR', { isTTY: true, env: { NO_COLOR: '1' } }, false],
  ['an empty NO_COLOR', { isTTY: true, env: { NO_COLOR: '' } }, true],
  ['a terminal without colours', { isTTY: true, env: { TERM: 'dumb' } }, false],
])('colours on %s', (_name, options, coloured) => {
  expect(terminal(options).print.style('red', 'text') !== 'text').toBe(coloured)
})

test('a wait is mentioned once it is long, and its line is cleared on a terminal', () => {
  vi.useFakeTimers()
  try {
    const { stderr, print } = terminal({ isTTY: true })
    const done = print.progress('Waiting')
    vi.advanceTimersByTime(900)
    expect(stderr.written).toEqual([])
    vi.advanceTimersByTime(1200)
    expect(stderr.written).toEqual(['\r\u001b[KWaiting (1 s)', '\r\u001b[KWaiting (2 s)'])
    done()
    expect(stderr.written.at(-1)).toBe('\r\u001b[K')
    vi.advanceTimersByTime(5000)
    expect(stderr.written).toHaveLength(3)
  } finally {
    vi.useRealTimers()
  }
})

test('a reader that leaves early is no failure', () => {
  const { stdout, print } = terminal()
  expect(print.isClosed()).toBe(false)
  stdout.emit('error', Object.assign(new Error('broken pipe'), { code: 'EPIPE' }))
  expect(print.isClosed()).toBe(true)
  expect(() => stdout.emit('error', new Error('other'))).toThrow('other')
})
