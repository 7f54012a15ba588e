import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { chmod, type FileHandle, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../config/usage-error.ts'
import { toError } from '../errors.ts'
import { codeOf, isCode, isHeldOpen, isOneOf } from '../system/error-code.ts'
import { onceFree } from '../system/once-free.ts'

/** The folder that only this program uses. */
export const OUR_FOLDER = '.codex-api-proxy'

/**
 * Makes the folder of `file`, for its owner alone. An existing one keeps its mode, unless it is the folder that only
 * we use (the original of this program left it readable for others). A volume in its place may be root's, whom we trust.
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

/** With the folders above it. Node's own way (`recursive`) never ends where none can be made, under /proc for example. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOne(folder)
  } catch (error) {
    const parent = dirname(folder)
    if (!isCode(error, 'ENOENT') || parent === folder) throw error
    // Another process may have made it in the meantime: then all that is left is another try.
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
 * Undefined where there is no file, or no folder it could be in. Throws for one that another user may have planted, and
 * for what is no file: a device, `/dev/null` say, would be replaced or removed, for everybody on the machine.
 */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    // A pipe that nobody writes to is not waited for.
    const opened = await onceFree(isHeldOpen, () => open(file, constants.O_RDONLY | constants.O_NONBLOCK))
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
    throw codeOf(error) === undefined ? error : Object.assign(toError(error), { path: file })
  }
}

function refuseOther(file: string, found: Stats): void {
  if (found.isDirectory()) throw folderInPlaceOf(file)
  if (!found.isFile())
    throw new UsageError(`${file} is not a regular file, and would be replaced by one. Name another file.`)
}

/**
 * Where everybody may put files, in `/tmp` for example, one of another user may be there to mislead: settings in it could
 * send the login anywhere, and a log would be that user's to read. Linux has the same rule for writing, where it is
 * switched on (`fs.protected_regular`, proc(5)).
 */
export async function refusePlanted(file: string, opened: FileHandle): Promise<void> {
  const [{ uid }, folder] = await Promise.all([opened.stat(), stat(dirname(file))])
  const isForEverybody = (folder.mode & 0o1002) === 0o1002
  if (!isForEverybody || uid === process.geteuid?.() || uid === folder.uid) return
  throw new Error(
    `${file} belongs to another user and is in a folder where everybody may create files, so it is not trusted. Choose a file in a folder of your own.`,
  )
}

/** Replaces `file` at once, so that nobody reads half of it; readable by its owner alone. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  await ensureFolderOf(file)
  await withTemporary(file, text, (temporary) => onceFree(isHeldOpen, () => rename(temporary, file)))
}

const TEMPORARY = /\.[0-9a-f]{12}\.tmp$/
/** Nothing here takes so long to write. */
const LEFT_MS = 60_000

/** About as much as will be written, so that a full disk is noticed. */
const SAMPLE = ' '.repeat(4096)

/** Throws the reason why `writePrivateFile` would fail. It tries, since modes don't tell; but it makes no folder. */
export async function checkWritable(file: string): Promise<void> {
  const folder = await nearestFolder(dirname(file))
  const put = async () => {
    if (await isFolder(file)) throw folderInPlaceOf(file)
  }
  await withTemporary(file, SAMPLE, put, join(folder, basename(file)))
}

/** As Node tells it where a folder can't be opened as a file. */
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
    // On Windows even a root may be missing: that of a drive that was taken out.
    if (!isCode(error, 'ENOENT') || parent === folder) throw error
    return await nearestFolder(parent)
  }
}

async function withTemporary(
  file: string,
  text: string,
  put: (temporary: string) => Promise<void>,
  beside = file,
): Promise<void> {
  const temporary = `${beside}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
    } finally {
      await handle.close()
    }
    await put(temporary)
  } catch (error) {
    // Errors name the file that a person knows, not the temporary one.
    throw error instanceof Error ? Object.assign(error, { path: file }) : error
  } finally {
    // What keeps it from being removed (a name too long) has kept it from being made, and is thrown already.
    await rm(temporary, { force: true }).catch(() => {})
    await removeLeftovers(beside).catch(() => {})
  }
}

/** What a writer that was killed left beside `file`, which may hold a client key; a younger one is still being written. */
async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file)
  const isTemporary = (name: string) => TEMPORARY.test(name) && name.replace(TEMPORARY, '') === basename(file)
  for (const name of (await readdir(folder)).filter(isTemporary)) {
    const leftover = join(folder, name)
    if (Date.now() - (await lstat(leftover)).mtimeMs > LEFT_MS) await rm(leftover, { force: true })
  }
}
