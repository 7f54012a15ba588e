import { createReadStream } from 'node:fs'
import { constants, open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Config } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'
import { codeOf, isCode } from '../system/error-code.ts'
import { onceFree } from '../system/once-free.ts'
import { checkPidFile } from './pid-file.ts'
import { checkWritable, folderInPlaceOf, refusePlanted, refusePlantedWay } from './private-file.ts'
import { checkStateFile, secretsFileOf } from './state-file.ts'

type RunFiles = Pick<Config, 'pidFile' | 'logFile' | 'stateFile'>

/** What to do if run files can't be written, in a read-only home folder or on a full disk for example. */
export function runFilesRemedy(error: unknown): string {
  // Not by the code itself: Node has no name for that of an exceeded quota.
  const isFull = ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '')
  const choose = isFull ? 'Free some space there, or choose' : 'Choose'
  return `${choose} --pid-file, --log-file and --state-file in another folder, or use --foreground, which needs none.`
}

/** Throws the reason why a start could not or must not write its run files. Nothing stays behind. */
export async function checkRunFiles({ pidFile, logFile, stateFile }: RunFiles): Promise<void> {
  if (new Set([pidFile, logFile, stateFile]).size < 3) {
    // The file written last would replace the other one, and no command would find the server.
    throw new UsageError('--pid-file, --log-file and --state-file must be three different files.')
  }
  for (const file of [pidFile, stateFile, secretsFileOf(stateFile)]) await checkWritable(file)
  await checkPidFile(pidFile)
  await checkStateFile(stateFile)
  await checkLog(logFile)
}

/** A log is appended to, whatever it is (`/dev/null`); the other files are replaced. */
async function checkLog(logFile: string): Promise<void> {
  // Node would make a file of that name, which other programs on Windows can't open or delete.
  if (process.platform === 'win32' && /^nul$/i.test(basename(logFile))) {
    throw new UsageError('--log-file NUL: the log must be a file; it is rotated at --log-max-size.')
  }
  // Before a missing log is made where a link leads to.
  await refusePlantedWay(logFile)
  try {
    // Without `O_CREAT`: checking must not create a missing log. A pipe that nobody reads is not waited for.
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK
    const log = await onceFree(() => open(logFile, flags))
    await refusePlanted(logFile, log).finally(() => log.close())
    await checkHoldsLines(logFile)
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
    await checkWritable(logFile)
  }
}

/** Appending a line would break a file that is one JSON document, such as a login. */
async function checkHoldsLines(logFile: string): Promise<void> {
  const found = await stat(logFile)
  // Windows opens a folder for writing as if it were a file.
  if (found.isDirectory()) throw folderInPlaceOf(logFile)
  // Reading a pipe with nobody at its other end would wait for ever.
  if (!found.isFile()) return
  const beginning = await text(createReadStream(logFile, { end: LINE_BEGINNING.length - 1 }))
  if (!beginning.startsWith('{') || beginning === LINE_BEGINNING) return
  throw new UsageError(`--log-file ${logFile}: it is not a log file; choose another one, or move it away.`)
}

/** How each line of telemetry/logger.ts begins. */
const LINE_BEGINNING = '{"level":'
