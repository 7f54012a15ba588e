import { hash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { type JsonObject, objectOf, timeOf } from '../json-object.ts'
import { readText } from '../system/text-file.ts'
import type { Files } from './auth-file.ts'
import { parseLogin } from './login.ts'
import { type NewTokens, tokensIn } from './refresh.ts'

/**
 * What follows the file's own name in the names of leftovers, since the logins of several accounts may be in one
 * folder.
 */
const LEFTOVER_NAME = /^-(?:[0-9a-f]{16}(?:-2)?|trial)\.codex-api-proxy\.tmp$/

type Leftover = {
  readonly path: string
  readonly text: string
  readonly content: JsonObject
  readonly refreshedAt: number
}

type LeftTokens = { readonly tokens: NewTokens; readonly refreshedAt: number }

/**
 * The tokens that a process got for this refresh token and wrote beside the file before it was killed. They exist
 * nowhere else: without them the login would be lost. Only for the holder of the lock.
 */
export function leftTokens(path: string, files: Files, spentToken: string): LeftTokens | undefined {
  try {
    const [leftover] = leftovers(leftoverPaths(files.realpathSync(path), spentToken), files)
    return leftover && { tokens: tokensIn(objectOf(leftover.content.tokens)), refreshedAt: leftover.refreshedAt }
  } catch {
    return undefined // auth.json is gone: whoever reads it says so.
  }
}

/**
 * Named after the refresh token that was spent. There are two names, so that a complete file need not be removed before
 * the next one is complete.
 */
export function leftoverPaths(target: string, spentToken: string): [string, string] {
  const digest = hash('sha256', spentToken, 'hex').slice(0, 16)
  return [leftoverPath(target, digest), leftoverPath(target, `${digest}-2`)]
}

function leftoverPath(target: string, name: string): string {
  return join(dirname(target), `.${basename(target)}-${name}.codex-api-proxy.tmp`)
}

/**
 * For testing whether there is room. If a killed process leaves it behind, it holds no login and is removed with the
 * others.
 */
export function trialPath(target: string): string {
  return leftoverPath(target, 'trial')
}

/** Where to write next: not over the newest complete one. */
export function freeName(target: string, files: Files, spentToken: string): string {
  const [first, second] = leftoverPaths(target, spentToken)
  const [newest] = leftovers([first, second], files)
  return first === newest?.path ? second : first
}

/** The files that are there and complete, newest first. */
export function leftovers(paths: readonly string[], files: Files): Leftover[] {
  const found = paths.map((path) => readLeftover(path, files)).filter((leftover) => leftover !== undefined)
  return found.sort((one, other) => other.refreshedAt - one.refreshedAt)
}

function readLeftover(path: string, files: Files): Leftover | undefined {
  try {
    const text = readText(path, files)
    const { content } = parseLogin(text)
    const refreshedAt = timeOf(content.last_refresh)
    return refreshedAt === undefined ? undefined : { path, text, content, refreshedAt }
  } catch {
    return undefined // None there, or one that wasn't completed.
  }
}

/** Those of this file, whichever refresh token they were made with. */
export function allLeftoverPaths(target: string, files: Files): string[] {
  const folder = dirname(target)
  const beginning = `.${basename(target)}`
  const isOurs = (name: string) => name.startsWith(beginning) && LEFTOVER_NAME.test(name.slice(beginning.length))
  return files
    .readdirSync(folder)
    .filter(isOurs)
    .map((name) => join(folder, name))
}
