import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { NOTHING_THERE } from '../../../../test/support/program.ts'
import { loadConfig } from '../../../config/load.ts'
import { createPrint } from '../../print.ts'
import { reportRunning } from './already-running.ts'

function createContext() {
  const written = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof written) =>
    Object.assign(new EventEmitter(), {
      write(text: string) {
        written[name] += text
      },
    })
  const terminal = Object.assign(new EventEmitter(), { stdout: stream('stdout'), stderr: stream('stderr'), env: {} })
  const bases = { home: '/nobody', cwd: '/nobody' }
  return { context: { print: createPrint(terminal), env: {}, bases, program: '' }, bases, written }
}

test('a server that outlasts the wait for its end has kept the start from its work', async () => {
  const { context, bases, written } = createContext()
  const loaded = loadConfig({ flags: {}, env: {}, saved: {}, bases })
  expect(await reportRunning(context, loaded, { pid: 4711, url: 'http://127.0.0.1:1', stopping: true })).toBe(1)
  expect(written).toEqual({
    stdout: '',
    stderr:
      'codex-api-proxy: could not start: process 4711 is still stopping. Try again when it has ended; ' +
      '`codex-api-proxy stop` ends it at once.\n',
  })
})

test('of a server that still starts nobody says with which settings it runs', async () => {
  const { context, bases, written } = createContext()
  const loaded = loadConfig({ flags: { strict: 'true' }, env: {}, saved: {}, bases })
  expect(await reportRunning(context, loaded, { pid: 4711 })).toBe(0)
  expect(written).toEqual({ stdout: 'Already running: process 4711, still starting\n', stderr: '' })
})

test('of a server whose state file is gone it is said that nobody knows', async () => {
  const { context, bases, written } = createContext()
  const server = { pid: 4711, url: NOTHING_THERE }
  const stdout = `Already running: ${NOTHING_THERE}/v1 (process 4711)\n`
  const stderr =
    "Whether it has the settings given now (--strict) is not known: its own can't be read from " +
    '/nobody/.codex-api-proxy/codex-api-proxy.state.json. To apply them, run `codex-api-proxy stop`, then `start` again.\n'
  const loaded = loadConfig({ flags: { strict: 'true' }, env: {}, saved: {}, bases })
  expect([await reportRunning(context, loaded, server), written]).toEqual([0, { stdout, stderr }])
  const plain = createContext()
  const nothing = loadConfig({ flags: {}, env: {}, saved: {}, bases })
  expect([await reportRunning(plain.context, nothing, server), plain.written]).toEqual([0, { stdout, stderr: '' }])
})
