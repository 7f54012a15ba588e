import { type FileHandle, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { count } from '../../../config/parsers.ts'
import { olderLogOf } from '../../../telemetry/log-file.ts'
import { readableLines } from '../../../telemetry/readable-lines.ts'
import type { Call } from '../../command.ts'
import type { Context, ExitCode } from '../../context.ts'
import { type Located, locate, logFileOf, reach } from '../../locate.ts'
import { RUN_FILES } from '../../setting-groups.ts'
import { findLast, keepsLines, type LastLines, lineSplitter, openExisting, readPieces, showLines } from './log-lines.ts'

const LINES = '50'
const POLL_MS = 200

/** Shows the end of the log file, readable or as it is; with `--follow` also what is added, until a signal. */
export async function logs(context: Context, { settings, flags }: Call): Promise<ExitCode> {
  const { print } = context
  const lines = parseCount(typeof flags.lines === 'string' ? flags.lines : LINES)
  const located = await locate(context, settings, { needed: RUN_FILES })
  const logFile = logFileOf(located)
  if (!(await keepsLines(logFile)))
    throw new Error(`${logFile} is not a regular file: what is logged there is not kept.`)
  const show = flags.json === true ? print.line : readableLines(print.raw, print.coloured).write

  const file = await openExisting(logFile)
  // `follow` shows what is added from here on, so that no line is shown twice or left out.
  const end = (await file?.stat())?.size ?? 0
  const recent = await lastOf(file, lines, end)
  const olderFile = recent.count < lines ? await openOlder(logFile, file) : undefined
  const older = await lastOf(olderFile, lines - recent.count)
  if (end === 0 && older.count === 0) {
    print.note(`Nothing was logged yet: ${file === undefined ? `there is no ${logFile}` : `${logFile} is empty`}.`)
  }
  await tellWhereElse(context, located)
  if (olderFile !== undefined) await showLines(olderFile, older, show, print.isClosed)
  await olderFile?.close()
  if (file !== undefined) await showLines(file, recent, show, print.isClosed)
  if (flags.follow === true) await follow(logFile, { file, position: end }, show, print.isClosed)
  else await file?.close()
  return 0
}

async function lastOf(file: FileHandle | undefined, count: number, end?: number): Promise<LastLines> {
  if (file === undefined) return { from: 0, to: 0, count: 0 }
  return await findLast(file, count, { from: 0, to: end ?? (await file.stat()).size })
}

/** The file with the lines from before the last rotation. */
async function openOlder(logFile: string, file: FileHandle | undefined): Promise<FileHandle | undefined> {
  const path = olderLogOf(logFile)
  // The open file itself may have been rotated by now.
  if (file !== undefined && !(await isAnother(path, file))) return undefined
  return await openExisting(path)
}

/** A foreground server or systemd service does not write to this file; launchd writes its service's log there. */
async function tellWhereElse({ print }: Context, located: Located): Promise<void> {
  if (located.running !== undefined || (await reach(located)) === undefined) return
  print.note(whereElse())
}

function whereElse(): string {
  switch (process.platform) {
    case 'darwin':
      return 'A foreground server logs to its terminal, a service to its --log-file.'
    case 'win32':
      return 'The running server logs to its terminal.'
    default:
      return 'The running server logs to its terminal or, as a systemd service, to the journal: `journalctl --user -u codex-api-proxy`.'
  }
}

function parseCount(text: string): number {
  try {
    return count(text)
  } catch (error) {
    throw error instanceof Error ? Object.assign(error, { message: `--lines "${text}": ${error.message}` }) : error
  }
}

/** Shows lines as they are added, across rotation: the renamed file is read to its end first. */
async function follow(
  path: string,
  start: { file: FileHandle | undefined; position: number },
  show: (line: string) => void,
  isDone: () => boolean,
): Promise<void> {
  let { file, position } = start
  const splitter = lineSplitter(show)

  const readOn = async (from: FileHandle) => {
    const { size } = await from.stat()
    // Emptied by someone: begin again, without the half line from before.
    if (size < position) {
      position = 0
      splitter.reset()
    }
    position = await readPieces(from, { from: position, to: size }, splitter.push, isDone)
  }

  while (!isDone()) {
    if (file !== undefined) await readOn(file)
    if (file === undefined || (await isAnother(path, file))) {
      if (file !== undefined) await readOn(file)
      await file?.close()
      file = await openExisting(path)
      position = 0
      splitter.reset()
      if (file !== undefined) continue
    }
    await delay(POLL_MS)
  }
  await file?.close()
}

/** Whether there is a file of this name, and it isn't the open one. */
async function isAnother(path: string, file: FileHandle): Promise<boolean> {
  // On NTFS these numbers have 64 bits: as doubles, those of two files may be the same.
  const [now, open] = await Promise.all([
    stat(path, { bigint: true }).catch(() => undefined),
    file.stat({ bigint: true }),
  ])
  return now !== undefined && now.ino !== open.ino
}
