import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, type Stats } from 'node:fs'
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { playPlatform } from '../../test/support/platform.ts'
import { codeOf } from '../system/error-code.ts'
import {
  checkWritable,
  ensureFolderOf,
  OUR_FOLDER,
  readIfThere,
  writeLastingFile,
  writePrivateFile,
} from './private-file.ts'

vi.mock(import('node:fs/promises'), { spy: true })

let base: string
let letGo = () => {}
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'private-file-'))
  letGo = () => {}
})
afterEach(async () => {
  letGo()
  vi.resetAllMocks()
  await rm(base, { recursive: true })
})

test('the folders above a file are made for their owner alone, by several at once too', async () => {
  const file = join(base, 'a', 'b', 'c', 'file')
  const others = [join(base, 'a', 'file'), join(base, 'a', 'b', 'file')]
  await Promise.all([file, file, ...others].map(ensureFolderOf))
  for (const folder of ['a', 'a/b', 'a/b/c']) expect((await stat(join(base, folder))).mode & 0o777).toBe(0o700)
})

test('a folder that is there, or a link to one, will do', async () => {
  await symlink(base, join(base, 'link'))
  await ensureFolderOf(join(base, 'link', 'file'))
  await ensureFolderOf('/file')
})

test('a folder that is there keeps its mode, which others may need', async () => {
  const folder = join(base, 'shared')
  await mkdir(folder)
  await chmod(folder, 0o755)
  await ensureFolderOf(join(folder, 'file'))
  expect((await stat(folder)).mode & 0o777).toBe(0o755)
})

test('our own folder is closed to others, or used as it is where it is root’s, and nobody else’s', async () => {
  const folder = join(base, OUR_FOLDER)
  await mkdir(folder)
  await chmod(folder, 0o755)
  await ensureFolderOf(join(folder, 'file'))
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  for (const [uid, refusal] of [
    [0, undefined],
    [1234, 'EPERM'],
  ] as const) {
    vi.mocked(chmod).mockImplementationOnce(async () => failWith('EPERM')())
    vi.mocked(stat).mockImplementation(async () => ({ uid, isDirectory: () => true }) as Stats)
    const ensured = ensureFolderOf(join(folder, 'file'))
    expect(await ensured.catch((error: unknown) => codeOf(error))).toBe(refusal)
  }
})

test('a path where no folder can be made fails with the reason instead of being tried for ever', async () => {
  await expect(ensureFolderOf('/proc/there-is-no/such/folder/file')).rejects.toThrow('ENOENT')
  await writeFile(join(base, 'text'), '')
  await expect(ensureFolderOf(join(base, 'text', 'file'))).rejects.toThrow('EEXIST')
  await expect(ensureFolderOf(join(base, 'text', 'more', 'file'))).rejects.toThrow('ENOTDIR')
  await symlink(join(base, 'missing'), join(base, 'loose'))
  await expect(ensureFolderOf(join(base, 'loose', 'file'))).rejects.toThrow('EEXIST')
})

test('a file that can not be written is known before, by the name it will have', async () => {
  await expect(checkWritable(base)).rejects.toMatchObject({ code: 'EISDIR', path: base })
  const text = join(base, 'text')
  await writeFile(text, '')
  await expect(checkWritable(join(text, 'file'))).rejects.toMatchObject({ code: 'ENOTDIR', path: join(text, 'file') })
  await expect(checkWritable(join(text, 'a', 'file'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  const long = join(base, 'a'.repeat(250))
  await expect(checkWritable(long)).rejects.toMatchObject({ code: 'ENAMETOOLONG', path: long })
})

test('one that can be is left as it is, and no folder is made for it', async () => {
  const file = join(base, 'run', 'below', 'file')
  await checkWritable(file)
  expect(await readdir(base)).toEqual([])
  await writePrivateFile(file, 'kept')
  await checkWritable(file)
  expect(await readFile(file, 'utf8')).toBe('kept')
  expect(await readdir(join(base, 'run', 'below'))).toEqual(['file'])
})

test('the content is on the disk before the file has its name, so that a power failure leaves no empty one', async () => {
  const steps: string[] = []
  const files = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises')
  vi.mocked(open).mockImplementation(async (...words) => {
    const handle = await files.open(...words)
    vi.spyOn(handle, 'sync').mockImplementation(async () => void steps.push(await readFile(String(words[0]), 'utf8')))
    return handle
  })
  vi.mocked(rename).mockImplementationOnce(async (...words) => {
    steps.push('rename')
    await files.rename(...words)
  })
  await writeLastingFile(join(base, 'file'), 'settings')
  expect(steps).toEqual(['settings', 'rename'])
})

test('what a killed writer left is removed by the next one, but nothing that may still be written or is another’s', async () => {
  const file = join(base, 'state.json')
  const others = ['state.json.0123456789ab.tmp', 'state.json.0123456789ab.tmp.kept', 'other.json.0123456789ab.tmp']
  for (const name of others) await writeFile(join(base, name), 'a client key')
  const left = join(base, 'state.json.ba9876543210.tmp')
  await writeFile(left, 'a client key')
  const anHourAgo = Date.now() / 1000 - 3600
  await utimes(left, anHourAgo, anHourAgo)
  for (const name of others.slice(1)) await utimes(join(base, name), anHourAgo, anHourAgo)
  await writePrivateFile(file, '{}')
  expect((await readdir(base)).sort()).toEqual([...others, 'state.json'].sort())
})

test('so is one from the future, which a clock that was set back makes of what a killed writer left', async () => {
  const left = join(base, 'state.json.ba9876543210.tmp')
  await writeFile(left, 'a client key')
  const tomorrow = Date.now() / 1000 + 86_400
  await utimes(left, tomorrow, tomorrow)
  await writePrivateFile(join(base, 'state.json'), '{}')
  expect(await readdir(base)).toEqual(['state.json'])
})

test('a drive that is not there fails with the reason instead of being looked for for ever', async () => {
  let looks = 0
  for (const look of [lstat, mkdir, stat]) {
    vi.mocked(look).mockImplementation(async () => failWith(++looks > 20 ? 'for ever' : 'ENOENT')())
  }
  // A root, which is its own parent.
  await expect(checkWritable('/x/y')).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(ensureFolderOf('/x/y')).rejects.toMatchObject({ code: 'ENOENT' })
})

test.each(['EPERM', 'EACCES', 'EBUSY'])(
  'on Windows a file that somebody has open just now is waited for: %s',
  async (code) => {
    const file = join(base, 'file')
    vi.mocked(rename).mockImplementationOnce(failWith(code))
    await expect(writePrivateFile(file, 'one')).rejects.toMatchObject({ code, path: file })

    vi.mocked(open).mockImplementationOnce(failWith(code))
    await expect(readIfThere(file)).rejects.toMatchObject({ code, path: file })

    playPlatform('win32')
    vi.mocked(rename).mockImplementationOnce(failWith(code)).mockImplementationOnce(failWith(code))
    await writePrivateFile(file, 'two')
    expect(await readFile(file, 'utf8')).toBe('two')
    vi.mocked(open).mockImplementationOnce(failWith(code)).mockImplementationOnce(failWith(code))
    expect(await readIfThere(file)).toBe('two')
  },
)

test('a busy machine, on which much time passes between two tries, waits for it as well', async () => {
  let now = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 10_000
    return now
  })
  onTestFinished(() => clock.mockRestore())
  playPlatform('win32')
  vi.mocked(rename).mockImplementationOnce(failWith('EPERM')).mockImplementationOnce(failWith('EPERM'))
  await writePrivateFile(join(base, 'file'), 'text')
  expect(await readFile(join(base, 'file'), 'utf8')).toBe('text')
})

test('on Windows a file that can not be replaced at all is not tried for ever', async () => {
  playPlatform('win32')
  vi.mocked(rename).mockImplementation(failWith('EPERM'))
  await expect(writePrivateFile(join(base, 'file'), '')).rejects.toMatchObject({ code: 'EPERM' })
})

test('a file that can not be read fails with its path, which tells it as one of the run files', async () => {
  await expect(readIfThere(base)).rejects.toMatchObject({ code: 'EISDIR', path: base })
})

test('a file that is not there, or whose folder is none, is no failure', async () => {
  await writeFile(join(base, 'text'), '')
  expect(await readIfThere(join(base, 'missing'))).toBeUndefined()
  expect(await readIfThere(join(base, 'text', 'file'))).toBeUndefined()
})

test('a pipe is not read, and whoever writes into it is not waited for', async () => {
  const pipe = join(base, 'pipe')
  execFileSync('mkfifo', [pipe])
  // Whoever waits all the same does so until this test has failed, and is let go then.
  letGo = () => closeSync(openSync(pipe, constants.O_RDWR))
  await expect(readIfThere(pipe)).rejects.toThrow(`${pipe} is not a regular file`)
})

test.runIf(process.getuid?.() === 0)('a file of another user in a folder for everybody is not trusted', async () => {
  const folder = join(base, 'shared')
  await mkdir(folder)
  const file = join(folder, 'state.json')
  await writeFile(file, '{"settings":{}}')
  await chmod(folder, 0o1777)
  expect(await readIfThere(file)).toBe('{"settings":{}}')
  await chown(file, 12_345, 12_345)
  await expect(readIfThere(file)).rejects.toThrow(`${file} belongs to another user`)
  await symlink(file, join(folder, 'link'))
  await expect(readIfThere(join(folder, 'link'))).rejects.toThrow('belongs to another user')
  // Elsewhere whoever owns the folder decides; where anybody could replace any file, an owner says nothing.
  for (const mode of [0o755, 0o777]) {
    await chmod(folder, mode)
    expect(await readIfThere(file)).toBe('{"settings":{}}')
  }
  await chmod(folder, 0o1777)
  await chown(folder, 12_345, 12_345)
  expect(await readIfThere(file)).toBe('{"settings":{}}')
})
