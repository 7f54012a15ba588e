import { ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { playPlatform } from '../../test/support/platform.ts'
import { isStillThere, processStart } from './process-start.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

test('a process has one start time, and none once it is gone', async () => {
  expect(await processStart(process.pid)).toBe(await processStart(process.pid))
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  expect(await processStart(child.pid ?? 0)).toBeUndefined()
})

test('where there is no /proc a process is known by what ps tells of it, in any time zone, until its end', async () => {
  playPlatform('darwin')
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

test.each(['linux', 'darwin'] as const)(
  'a process that has ended is none while its parent has not looked (%s)',
  async (platform) => {
    playPlatform(platform)
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 100'], { stdio: ['ignore', 'pipe', 'ignore'] })
    onTestFinished(() => void parent.kill('SIGKILL'))
    const [line] = await once(parent.stdout, 'data')
    await expect.poll(() => processStart(Number(line))).toBeUndefined()
  },
)

/** In place of Windows: a PowerShell that answers the question for this process with a text. */
async function playWindows(answer: string): Promise<string> {
  playPlatform('win32')
  const folder = await mkdtemp(join(tmpdir(), 'powershell-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const ofTheSystem = join(folder, 'System32', 'WindowsPowerShell', 'v1.0')
  await mkdir(ofTheSystem, { recursive: true })
  const question = `-Command $p = Get-Process -Id ${process.pid};`
  const powershell = `#!/bin/sh\ncase "$3 $4" in '${question}'*) printf '%s\\r\\n' "${answer}"; esac\n`
  await writeFile(join(ofTheSystem, 'powershell.exe'), powershell, { mode: 0o700 })
  vi.stubEnv('SystemRoot', folder)
  return folder
}

test('on Windows PowerShell tells it, without a window', async () => {
  await playWindows('134000000000000000')
  const spawned = vi.spyOn(ChildProcess.prototype as unknown as { spawn(options: object): unknown }, 'spawn')
  expect(await processStart(process.pid)).toBe('134000000000000000')
  expect(spawned).toHaveBeenCalledWith(expect.objectContaining({ windowsHide: true }))
})

test('where Windows has no PowerShell that the process is there has to do', async () => {
  const folder = await playWindows('1')
  const ofTheSystem = join(folder, 'System32', 'WindowsPowerShell', 'v1.0', 'powershell.exe')
  // Only the one of the system counts: in the current folder or in PATH there may be another.
  await rename(ofTheSystem, join(folder, 'powershell.exe'))
  vi.stubEnv('PATH', folder)
  expect(await processStart(process.pid)).toBe('unknown')
  vi.stubEnv('SystemRoot', undefined)
  expect(await processStart(process.pid)).toBe('unknown')
})

test('on Windows a process that tells only its name is another one, unless it may be ours', async () => {
  await playWindows('svchost')
  expect(await isStillThere(process.pid, '134000000000000000')).toBe(false)
  await playWindows('Node')
  expect(await isStillThere(process.pid, '134000000000000000')).toBe(true)
  await playWindows('')
  expect(await isStillThere(process.pid, '134000000000000000')).toBe(true)
})

test('Windows PowerShell does not get the folders of PowerShell 7, whose modules it can not load', async () => {
  vi.stubEnv('PsModulePath', 'modules of PowerShell 7')
  await playWindows('134000000000000000$PsModulePath$PSModulePath$PSMODULEPATH')
  expect(await processStart(process.pid)).toBe('134000000000000000')
})

test('a process whose start is not told just now is taken for the one that was there, until there is none', async () => {
  playPlatform('darwin')
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  const pid = child.pid ?? 0
  const started = (await processStart(pid)) ?? ''
  expect(await isStillThere(pid, started)).toBe(true)
  expect(await isStillThere(pid, 'Thu-Jan-1-00:00:00-1970')).toBe(false)
  expect(await isStillThere(pid, 'unknown')).toBe(true)
  vi.stubEnv('PATH', '/there-is-no-ps')
  expect(await isStillThere(pid, started)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  for (const known of [started, 'unknown']) expect(await isStillThere(pid, known)).toBe(false)
})
