import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { LIKE_NTFS } from '../support/preloads.ts'
import { createHome, type Home, PROGRAM } from '../support/program.ts'

let home: Home
let log: string
beforeEach(async () => {
  home = await createHome()
  await mkdir(home.runFolder)
  log = join(home.runFolder, 'codex-api-proxy.log')
})
afterEach(() => home.remove())

type Following = {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  /** Everything shown so far, once it holds this. */
  until(text: string): Promise<string>
}

function follow(env: Readonly<Record<string, string>> = {}): Following {
  const child = spawn(process.execPath, [PROGRAM, 'logs', '--follow', '--json'], {
    env: { ...home.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let shown = ''
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text) => {
      shown += text
      child.emit('shown')
    })
  }
  return {
    child,
    async until(text) {
      while (!shown.includes(text)) await once(child, 'shown')
      return shown
    },
  }
}

test('logs -f begins before there is a log, and shows it from its first line', async () => {
  const { until } = follow()
  await until(`Nothing was logged yet: there is no ${log}.\n`)
  await writeFile(log, 'first\nsecond\n')
  expect(await until('second\n')).toMatch(/\.\nfirst\nsecond\n$/)
})

test('logs -f of a log that somebody empties begins again, without the half line from before', async () => {
  await writeFile(log, 'before\n')
  const { until } = follow()
  await until('before\n')
  await appendFile(log, 'shown, and then a half')
  await appendFile(log, ' of a line\nlost half')
  await until('of a line\n')
  await truncate(log)
  await appendFile(log, 'whole\n')
  expect(await until('whole\n')).toBe('before\nshown, and then a half of a line\nwhole\n')
})

test('logs -f goes on in the next file where ids of files have 64 bits', async () => {
  await writeFile(log, 'before\n')
  const { until } = follow({ NODE_OPTIONS: LIKE_NTFS })
  await until('before\n')
  await rename(log, `${log}.1`)
  await writeFile(log, 'after\n')
  expect(await until('after\n')).toBe('before\nafter\n')
})

test('logs -f ends when nobody reads it any more, as behind `head`', async () => {
  await writeFile(log, 'before\n')
  const { child, until } = follow()
  const ended = once(child, 'exit')
  await until('before\n')
  child.stdout.destroy()
  await appendFile(log, 'nobody reads this\n')
  expect(await ended).toEqual([0, null])
})
