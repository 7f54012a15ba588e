import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

const OUR_FOLDER = '.codex-api-proxy'

/**
 * Makes the folder of `file`, for its owner alone. An existing one keeps its mode, unless it is the folder that only
 * we use (the original of this program left it readable for others).
 */
export async function ensureFolderOf(file: string): Promise<void> {
  const folder = dirname(file)
  await makeFolder(folder)
  if (basename(folder) === OUR_FOLDER) await chmod(folder, 0o700)
}

/** With the folders above it. Node's own way (`recursive`) never ends where none can be made, under /proc for example. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOne(folder)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    const parent = dirname(folder)
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

/** Replaces `file` at once, so that nobody reads half of it; readable by its owner alone. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  await withTemporary(file, text, (temporary) => rename(temporary, file))
}

/** Like `writePrivateFile`, but only where there is none yet: EEXIST otherwise. */
export async function createPrivateFile(file: string, text: string): Promise<void> {
  await withTemporary(file, text, (temporary) => link(temporary, file))
}

/** Throws the reason why `writePrivateFile` would fail. */
export async function checkWritable(file: string): Promise<void> {
  await withTemporary(file, '', async () => {
    if (await isFolder(file)) throw Object.assign(new Error(`${file} is a folder`), { code: 'EISDIR' })
  })
}

async function withTemporary(file: string, text: string, put: (temporary: string) => Promise<void>): Promise<void> {
  await ensureFolderOf(file)
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
    } finally {
      await handle.close()
    }
    await put(temporary)
  } catch (error) {
    // The name a person knows, not the temporary one.
    throw error instanceof Error ? Object.assign(error, { path: file }) : error
  } finally {
    await rm(temporary, { force: true })
  }
}
