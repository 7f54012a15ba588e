import { EventEmitter } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { claimPidFile } from '../../daemon/pid-file.ts'
import { createPrint } from '../print.ts'
import { stop } from './stop.ts'

test('a server that somebody else stops at the same time is not said to answer still', async () => {
  const home = await mkdtemp(join(tmpdir(), 'stop-'))
  onTestFinished(() => rm(home, { recursive: true }))
  const written: string[] = []
  const stream = Object.assign(new EventEmitter(), { write: (text: string) => written.push(text) })
  const print = createPrint(Object.assign(new EventEmitter(), { stdout: stream, stderr: stream, env: {} }))
  const pidFile = join(home, 'pid')
  const claim = await claimPidFile(pidFile)
  if ('pid' in claim) throw new Error('Someone else has it.')
  await claim.announce({ url: 'http://127.0.0.1:1', logFile: join(home, 'log') })
  // After it was found, and before it is stopped.
  const progress = () => {
    claim.release()
    return () => {}
  }
  const context = { print: { ...print, progress }, env: {}, bases: { home, cwd: home }, program: '' }
  expect(await stop(context, { pidFile, port: '1' })).toBe(0)
  expect(written).toEqual(['Not running.\n'])
})
