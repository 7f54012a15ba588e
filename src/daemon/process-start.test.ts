import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, test, vi } from 'vitest'
import { processStart } from './process-start.ts'

const platform = process.platform
afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform })
  vi.unstubAllEnvs()
})

test('where there is no /proc a process is known by what ps tells of it, in any time zone, until its end', async () => {
  Object.defineProperty(process, 'platform', { value: 'darwin' })
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  const pid = child.pid ?? 0
  const started = await processStart(pid)
  // Without a ps that it is there has to do.
  expect(started).toMatch(/^(?:\w+-\w+-\d+-\d+:\d+:\d+-\d+|unknown)$/)
  vi.stubEnv('TZ', 'Asia/Tokyo')
  expect(await processStart(pid)).toBe(started)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await processStart(pid)).toBeUndefined()
})
