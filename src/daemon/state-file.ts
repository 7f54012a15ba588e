import { basename, dirname } from 'node:path'
import { type GivenSettings, isOptionName, type Origins, settingsIn } from '../config/load.ts'
import { OPTIONS } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'
import { isObject, type JsonObject, objectOf, parseObject } from '../json-object.ts'
import { OUR_FOLDER, readIfThere, removePrivateFile, writeLastingFile } from './private-file.ts'

/** The settings of the last start in the background. */
export type SavedState = {
  readonly settings: GivenSettings
  /** Where each setting came from at that start. */
  readonly origins: Readonly<Partial<Origins>>
}

export const NOTHING_SAVED: SavedState = { settings: {}, origins: {} }

/**
 * Secrets (the client key, an outbound proxy's password) are in a separate file beside the state file, both readable
 * only by their owner: so the state file can be shared, and `restart` still knows the key.
 */
export function secretsFileOf(stateFile: string): string {
  return `${stateFile.replace(/\.json$/, '')}.secrets.json`
}

export async function saveState(stateFile: string, { settings, origins }: SavedState): Promise<void> {
  const entries = Object.entries(settings)
  const secrets = entries.filter(([name]) => isSecret(name))
  const rest = Object.fromEntries(entries.filter(([name]) => !isSecret(name)))
  const secretsFile = secretsFileOf(stateFile)
  if (secrets.length === 0) await removePrivateFile(secretsFile)
  else await writeLastingFile(secretsFile, toText(Object.fromEntries(secrets)))
  const notDefault = Object.fromEntries(Object.entries(origins).filter(([, origin]) => origin !== 'default'))
  await writeLastingFile(stateFile, toText({ settings: rest, origins: notDefault }))
}

/** The saved settings; nothing if there is no such file. Throws if it exists but can't be read. */
export async function readState(stateFile: string): Promise<SavedState> {
  const state = await readJson(stateFile)
  if (state === undefined) return NOTHING_SAVED
  const secrets = (await readJson(secretsFileOf(stateFile))) ?? {}
  const settings = { ...settingsIn(objectOf(state.settings)), ...settingsIn(secrets) }
  return { settings, origins: originsIn(state.origins) }
}

/**
 * Throws a UsageError if the file does not hold saved settings but was named by mistake (`auth.json`): it would be
 * replaced. In our own folder every file is ours, whatever it holds.
 */
export async function checkStateFile(file: string): Promise<void> {
  if (basename(dirname(file)) === OUR_FOLDER) return
  const text = await readIfThere(file)
  if (text === undefined || text.trim() === '' || isObject(parseObject(text)?.settings)) return
  throw new UsageError(`--state-file ${file}: it is not a state file; choose another one, or move it away.`)
}

async function readJson(file: string): Promise<JsonObject | undefined> {
  const text = await readIfThere(file)
  if (text === undefined) return undefined
  const value = parseObject(text)
  if (value !== undefined) return value
  throw new Error(`${file} holds no saved settings; move it away, and give the settings to \`start\` again.`)
}

function originsIn(value: unknown): SavedState['origins'] {
  return Object.fromEntries(
    Object.entries(objectOf(value)).filter(([name, origin]) => isOptionName(name) && typeof origin === 'string'),
  )
}

function isSecret(name: string): boolean {
  return isOptionName(name) && 'secret' in OPTIONS[name]
}

function toText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
