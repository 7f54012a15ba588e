import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { claimPidFile } from './pid-file.ts'
import { stopProcess } from './process.ts'

afterEach(() => vi.restoreAllMocks())

test('a server of another user is left to that user', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'process-'))
  const file = join(folder, 'pid')
  await claimPidFile(file)
  vi.spyOn(process, 'kill').mockImplementation((_pid, signal) => {
    if (signal === 0) return true
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
  })
  await expect(stopProcess(file, 100)).rejects.toThrow(
    `Process ${process.pid} belongs to another user, who has to stop it.`,
  )
  await rm(folder, { recursive: true })
})
