import { spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { claimPidFile } from '../../daemon/pid-file.ts'
import { processStart } from '../../system/process-start.ts'
import { locate } from '../locate.ts'
import { createPrint } from '../print.ts'
import { stop, stopLocated } from './stop.ts'

/** Its output is added to `written`. */
async function createContext() {
  const home = await mkdtemp(join(tmpdir(), 'stop-'))
  onTestFinished(() => rm(home, { recursive: true }))
  const written: string[] = []
  const stream = Object.assign(new EventEmitter(), { write: (text: string) => written.push(text) })
  const print = createPrint(Object.assign(new EventEmitter(), { stdout: stream, stderr: stream, env: {} }))
  return { home, written, context: { print, env: {}, bases: { home, cwd: home }, program: '' } }
}

test('a server that was started since the look is named by its own process id', async () => {
  const { home, written, context } = await createContext()
  // On a busy machine it may take so long that this would be mentioned.
  const print = { ...context.print, progress: () => () => {} }
  const pidFile = join(home, 'pid')
  const located = await locate(context, { pidFile })
  const server = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  onTestFinished(() => void server.kill())
  const { pid = 0 } = server
  await writeFile(pidFile, `${pid}\nstarted=${await processStart(pid)}\n`)
  await stopLocated({ ...context, print }, located)
  expect(written).toEqual([`Stopped process ${pid}.\n`])
})

test('a server that somebody else stops at the same time is not said to answer still', async () => {
  const { home, written, context } = await createContext()
  const pidFile = join(home, 'pid')
  const claim = await claimPidFile(pidFile)
  if ('pid' in claim) throw new Error('Someone else has it.')
  await claim.announce({ url: 'http://127.0.0.1:1', logFile: join(home, 'log') })
  // After it was found, and before it is stopped.
  const progress = () => {
    claim.release()
    return () => {}
  }
  const racing = { ...context, print: { ...context.print, progress } }
  expect(await stop(racing, { pidFile, port: '1' })).toBe(0)
  expect(written).toEqual(['Not running.\n'])
})
