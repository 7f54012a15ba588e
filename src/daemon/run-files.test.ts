import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { playPlatform } from '../../test/support/platform.ts'
import { UsageError } from '../config/usage-error.ts'
import { withRemedy } from '../system/describe-error.ts'
import { checkRunFiles, runFilesRemedy } from './run-files.ts'

vi.mock(import('node:fs/promises'), { spy: true })

let folder: string
let letGo = () => {}
const files = () => ({
  pidFile: join(folder, 'run', 'pid'),
  logFile: join(folder, 'run', 'log'),
  stateFile: join(folder, 'run', 'state.json'),
})

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-files-'))
  letGo = () => {}
})
afterEach(async () => {
  letGo()
  vi.resetAllMocks()
  await rm(folder, { recursive: true })
})

test('files that can be written are left as they are, and none is made', async () => {
  await checkRunFiles(files())
  expect(await readdir(folder)).toEqual([])
  await mkdir(join(folder, 'run'))
  await writeFile(files().logFile, 'a line\n')
  await checkRunFiles(files())
  expect(await readdir(join(folder, 'run'))).toEqual(['log'])
  expect(await readFile(files().logFile, 'utf8')).toBe('a line\n')
})

test.each(['pid', 'log', 'state.json', 'state.secrets.json'])('a folder in the place of %s is named', async (name) => {
  const path = join(folder, 'run', name)
  await mkdir(path, { recursive: true })
  await expect(checkRunFiles(files())).rejects.toMatchObject({ code: 'EISDIR', path })
})

test('nor is a folder taken for a log where it can be opened as one, on Windows', async () => {
  await mkdir(files().logFile, { recursive: true })
  const { open: really } = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises')
  vi.mocked(open).mockImplementation((path, flags) => really(path, path === files().logFile ? 'r' : flags))
  await expect(checkRunFiles(files())).rejects.toMatchObject({ code: 'EISDIR', path: files().logFile })
})

test.each(['NUL', 'nul'])('on Windows no file is made that nobody can delete: %s', async (name) => {
  const logFile = join(folder, name)
  await checkRunFiles({ ...files(), logFile })
  playPlatform('win32')
  await expect(checkRunFiles({ ...files(), logFile })).rejects.toThrow(/^--log-file NUL: the log must be a file;/)
})

test('on Windows a log that somebody has for himself alone is waited for', async () => {
  await mkdir(join(folder, 'run'))
  await writeFile(files().logFile, '')
  const { open: really } = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises')
  let held = 0
  vi.mocked(open).mockImplementation((path, flags) => {
    if (path === files().logFile && held++ === 0) failWith('EBUSY')()
    return really(path, flags)
  })
  await expect(checkRunFiles(files())).rejects.toMatchObject({ code: 'EBUSY' })
  playPlatform('win32')
  held = 0
  await checkRunFiles(files())
})

test('a log may lie where no file could be made', async () => {
  await checkRunFiles({ ...files(), logFile: '/dev/null' })
})

test('a pipe that nobody reads is no log, and is not waited for', async () => {
  const logFile = join(folder, 'pipe')
  execFileSync('mkfifo', [logFile])
  // Whoever waits all the same does so until this test has failed, and is let go then.
  letGo = () => closeSync(openSync(logFile, constants.O_RDWR))
  await expect(checkRunFiles({ ...files(), logFile })).rejects.toMatchObject({ code: 'ENXIO', path: logFile })
})

test('a pipe that somebody reads is a log, and nothing is read from it', async () => {
  const logFile = join(folder, 'pipe')
  execFileSync('mkfifo', [logFile])
  const reader = openSync(logFile, constants.O_RDONLY | constants.O_NONBLOCK)
  onTestFinished(() => closeSync(reader))
  // Whoever reads all the same waits until this test has failed, and is let go then.
  letGo = () => closeSync(openSync(logFile, constants.O_RDWR))
  await checkRunFiles({ ...files(), logFile })
})

test.each(['pidFile', 'stateFile'] as const)('a device that is named as %s is not replaced', async (name) => {
  // By a link: where the test fails, no more than that is lost.
  const link = join(folder, 'null')
  await symlink('/dev/null', link)
  // It says itself what to do, and ends a command like every other unusable setting.
  const refused = checkRunFiles({ ...files(), [name]: link }).catch(withRemedy(runFilesRemedy))
  const message = `${link} is not a regular file, and would be replaced by one. Name another file.`
  await expect(refused).rejects.toThrow(new UsageError(message))
})

test.each(['pidFile', 'stateFile'] as const)('a login that is named as %s by mistake is not replaced', async (name) => {
  const auth = join(folder, 'auth.json')
  await writeFile(auth, '{"OPENAI_API_KEY":null,"tokens":{}}')
  await expect(checkRunFiles({ ...files(), [name]: auth })).rejects.toThrow(`${auth}: it`)
})

test.each(['{"OPENAI_API_KEY":null,"tokens":{}}', '{\n  "tokens": {}\n}', '{'])(
  'a login that is named as the log by mistake gets no line behind it: %j',
  async (text) => {
    const auth = join(folder, 'auth.json')
    await writeFile(auth, text)
    await expect(checkRunFiles({ ...files(), logFile: auth })).rejects.toThrow(`--log-file ${auth}: it`)
    expect(await readFile(auth, 'utf8')).toBe(text)
  },
)

test.each(['', '{"level":"info","time":"2026-11-29T00:00:00.000Z"}\n', 'a line of another program\n'])(
  'a log that begins with %j goes on',
  async (text) => {
    const logFile = join(folder, 'log')
    await writeFile(logFile, text)
    await checkRunFiles({ ...files(), logFile })
  },
)

test.runIf(process.getuid?.() === 0)('a log of another user in a folder for everybody gets no line', async () => {
  const logFile = join(folder, 'log')
  await writeFile(logFile, '')
  await chown(logFile, 12_345, 12_345)
  await checkRunFiles({ ...files(), logFile })
  await chmod(folder, 0o1777)
  await expect(checkRunFiles({ ...files(), logFile })).rejects.toThrow(`${logFile} belongs to another user`)
})

test.each([
  ['pidFile', 'stateFile'],
  ['logFile', 'stateFile'],
  ['pidFile', 'logFile'],
] as const)('one file can not be both %s and %s', async (one, other) => {
  await expect(checkRunFiles({ ...files(), [one]: files()[other] })).rejects.toThrow('must be three different files')
})

test.each(['', '{"settings":{}}'])('a state file that holds %j is replaced', async (text) => {
  const stateFile = join(folder, 'state.json')
  await writeFile(stateFile, text)
  await checkRunFiles({ ...files(), stateFile })
})

test.each(['hello', '{"settings":1}', '[]'])('a file that holds %j is no state file', async (text) => {
  const stateFile = join(folder, 'notes.txt')
  await writeFile(stateFile, text)
  await expect(checkRunFiles({ ...files(), stateFile })).rejects.toThrow('it is not a state file')
})

test('in the folder of the program a state file is replaced whatever it holds', async () => {
  const stateFile = join(folder, '.codex-api-proxy', 'state.json')
  await mkdir(join(folder, '.codex-api-proxy'))
  await writeFile(stateFile, 'of another program')
  await checkRunFiles({ ...files(), stateFile })
})

test.each([
  ['EROFS', 'the file system is read-only. Choose --pid-file,'],
  ['ENOSPC', 'no space left. Free some space there, or choose --pid-file,'],
  ['EDQUOT', 'your disk quota is used up. Free some space there, or choose --pid-file,'],
])('after %s it is said what to do about it', async (code, message) => {
  const failure = Promise.reject(Object.assign(new Error(code), { code, path: '/run/pid' }))
  await expect(failure.catch(withRemedy(runFilesRemedy))).rejects.toThrow(`Can't use /run/pid: ${message}`)
})
