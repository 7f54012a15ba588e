import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { chmod, type FileHandle, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../config/usage-error.ts'
import { toError } from '../errors.ts'
import { elapsed } from '../system/elapsed.ts'
import { codeOf, isCode, isOneOf } from '../system/error-code.ts'
import { onceFree } from '../system/once-free.ts'

/** The folder that only this program uses. */
export const OUR_FOLDER = '.codex-api-proxy'

/**
 * Creates the folder of `file`, accessible only to its owner. An existing one keeps its mode, unless it is the folder
 * that only we use (the original version of this program left it readable for others). A volume in its place may belong
 * to root, whom we trust.
 */
export async function ensureFolderOf(file: string): Promise<void> {
  const folder = dirname(file)
  await makeFolder(folder)
  if (basename(folder) === OUR_FOLDER) await makePrivate(folder)
}

async function makePrivate(folder: string): Promise<void> {
  try {
    await chmod(folder, 0o700)
  } catch (error) {
    if ((await stat(folder)).uid !== 0) throw error
  }
}

/**
 * Includes the parent folders. Node's own way (`recursive`) never returns where none can be created, under /proc for
 * example.
 */
async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOne(folder)
  } catch (error) {
    const parent = dirname(folder)
    if (!isCode(error, 'ENOENT') || parent === folder) throw error
    // Another process may have created it in the meantime: then just try again.
    if (!(await isFolder(parent))) await makeFolder(parent)
    await makeOne(folder)
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder, 0o700)
  } catch (error) {
    if (!(await isFolder(folder))) throw error
  }
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/**
 * Undefined if the file, or a folder it could be in, does not exist. Throws for a file that another user may have
 * planted, and for anything that is not a regular file: a device such as `/dev/null` would be replaced or removed, for
 * everybody on the machine.
 */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    // A pipe that nobody writes to is not waited for.
    const opened = await onceFree(() => open(file, constants.O_RDONLY | constants.O_NONBLOCK))
    try {
      refuseOther(file, await opened.stat())
      await refusePlanted(file, opened)
      return await opened.readFile('utf8')
    } finally {
      await opened.close()
    }
  } catch (error) {
    if (isOneOf(error, ['ENOENT', 'ENOTDIR'])) return undefined
    // Node names no path when the reading itself fails.
    throw withPath(error, file)
  }
}

/** The error of a system call as one about this file; any other error says itself what is wrong. */
function withPath(error: unknown, file: string): unknown {
  return codeOf(error) === undefined ? error : Object.assign(toError(error), { path: file })
}

function refuseOther(file: string, found: Stats): void {
  if (found.isDirectory()) throw folderInPlaceOf(file)
  if (!found.isFile())
    throw new UsageError(`${file} is not a regular file, and would be replaced by one. Name another file.`)
}

/**
 * In a folder where everybody may create files, such as `/tmp`, another user may have planted a file: settings in it
 * could send the login anywhere, and that user could read a log. Linux has the same rule for writing, where it is
 * enabled (`fs.protected_regular`, proc(5)).
 */
export async function refusePlanted(file: string, opened: FileHandle): Promise<void> {
  const { uid } = await opened.stat()
  if (uid === process.geteuid?.()) return
  await refuseIfPlanted(file, dirname(file), uid)
  await refusePlantedWay(file)
}

/**
 * The same for the way to the file: another user may also have planted a link, which leads to a file of ours, or the
 * folder.
 */
export async function refusePlantedWay(file: string): Promise<void> {
  for (let path = file, folder = dirname(path); folder !== path; path = folder, folder = dirname(path)) {
    const found = await lstat(path).catch(() => undefined)
    if (found !== undefined) await refuseIfPlanted(file, folder, found.uid)
  }
}

/** `owner` is that of something in the folder. */
async function refuseIfPlanted(file: string, folder: string, owner: number): Promise<void> {
  const { mode, uid } = await stat(folder)
  const isForEverybody = (mode & 0o1002) === 0o1002
  if (!isForEverybody || owner === process.geteuid?.() || owner === uid) return
  throw new Error(
    `${file} belongs to another user and is in a folder where everybody may create files, so it is not trusted. Choose a file in a folder of your own.`,
  )
}

/** Replaces `file` atomically, so that nobody reads half of it; readable only by its owner. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  await replace({ file, text })
}

/** The same for what has to outlast a power failure, unlike what is only about a running process. */
export async function writeLastingFile(file: string, text: string): Promise<void> {
  await replace({ file, text, isLasting: true })
}

async function replace(writing: Writing): Promise<void> {
  await ensureFolderOf(writing.file)
  await withTemporary(writing, (temporary) => onceFree(() => rename(temporary, writing.file)))
}

/** Removes the file, if it is there; waits while another program has it open, as Windows requires. */
export async function removePrivateFile(file: string): Promise<void> {
  await onceFree(() => rm(file, { force: true }))
}

const TEMPORARY = /\.[0-9a-f]{12}\.tmp$/
/** No write here takes that long. */
const LEFT_MS = 60_000

/** About as much as will be written, so that a full disk is noticed. */
const SAMPLE = ' '.repeat(4096)

/**
 * Throws the reason why `writePrivateFile` would fail. It really tries, since modes don't tell; but it creates no
 * folder.
 */
export async function checkWritable(file: string): Promise<void> {
  const folder = await nearestFolder(dirname(file))
  const put = async () => {
    const found = await stat(file).catch(() => undefined)
    if (found !== undefined) refuseOther(file, found)
  }
  await withTemporary({ file, text: SAMPLE, beside: join(folder, basename(file)) }, put)
}

/** In the form of Node's own error for a folder that is opened as a file. */
export function folderInPlaceOf(file: string): Error {
  return Object.assign(new Error(`${file} is a folder`), { code: 'EISDIR', path: file })
}

/** The folder itself, or the one it would be made in. */
async function nearestFolder(folder: string): Promise<string> {
  try {
    await lstat(folder)
    return folder
  } catch (error) {
    const parent = dirname(folder)
    // On Windows even a root may be missing: that of a removed drive.
    if (!isCode(error, 'ENOENT') || parent === folder) throw error
    return await nearestFolder(parent)
  }
}

type Writing = {
  readonly file: string
  readonly text: string
  readonly isLasting?: boolean
  /** Where to write first: the file itself, or where it would be if its folder were there. */
  readonly beside?: string
}

async function withTemporary(
  { file, text, isLasting, beside = file }: Writing,
  put: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${beside}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      // Otherwise the new name may be on the disk before the content, and the file is empty after a power failure.
      if (isLasting) await handle.sync()
    } finally {
      await handle.close()
    }
    await put(temporary)
  } catch (error) {
    // Errors name the file that the user knows, not the temporary one.
    throw withPath(error, file)
  } finally {
    // Whatever prevents removing it (a name too long) also prevented creating it, and has been thrown already.
    await rm(temporary, { force: true }).catch(() => {})
    await removeLeftovers(beside).catch(() => {})
  }
}

/**
 * Removes what a killed writer left beside `file`, which may contain a client key; a younger one is still being
 * written.
 */
async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file)
  const isTemporary = (name: string) => TEMPORARY.test(name) && name.replace(TEMPORARY, '') === basename(file)
  for (const name of (await readdir(folder)).filter(isTemporary)) {
    const leftover = join(folder, name)
    if (elapsed((await lstat(leftover)).mtimeMs, Date.now()) > LEFT_MS) await rm(leftover, { force: true })
  }
}
