import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { createPrint } from './print.ts'

function terminal({ isTTY = false, env = {} }: { isTTY?: boolean; env?: Record<string, string> } = {}) {
  const open = () => {
    const written: string[] = []
    return Object.assign(new EventEmitter(), { isTTY, written, write: (text: string) => written.push(text) })
  }
  const [stdout, stderr] = [open(), open()]
  const process = Object.assign(new EventEmitter(), { stdout, stderr, env, exitCode: 0 })
  return { stdout, stderr, process, print: createPrint(process) }
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
  const { print } = terminal(options)
  expect(print.style('red', 'text') !== 'text').toBe(coloured)
  expect(print.openLog()).toMatchObject({ isTerminal: options.isTTY, isColoured: coloured })
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

const failure = (code: string) => Object.assign(new Error(`${code}: made up`), { code })

test.each(['EPIPE', 'EOF'])('a reader that leaves early is no failure (%s)', (code) => {
  const { stdout, stderr, process, print } = terminal()
  expect(print.isClosed()).toBe(false)
  stdout.emit('error', failure(code))
  expect(print.isClosed()).toBe(true)
  process.emit('exit')
  expect([stderr.written, process.exitCode]).toEqual([[], 0])
})

test('a result that can not be written is one line and a failure, however often it is tried', () => {
  const { stdout, stderr, process, print } = terminal()
  for (const code of ['ENOSPC', 'ENOSPC', 'EPIPE']) stdout.emit('error', failure(code))
  expect(print.isClosed()).toBe(true)
  expect(stderr.written).toEqual(['codex-api-proxy: The result could not be written: ENOSPC: made up\n'])
  process.emit('exit')
  expect(process.exitCode).toBe(1)
})

test('a command that failed by itself keeps its exit code', () => {
  const { stdout, process } = terminal()
  stdout.emit('error', failure('ENOSPC'))
  process.exitCode = 3
  process.emit('exit')
  expect(process.exitCode).toBe(3)
})

test.each(['EPIPE', 'ENOSPC', 'EIO'])('remarks and log lines that can not be written are let go (%s)', (code) => {
  const { stderr, process, print } = terminal()
  stderr.emit('error', failure(code))
  process.emit('exit')
  expect([print.isClosed(), process.exitCode]).toEqual([false, 0])
})
