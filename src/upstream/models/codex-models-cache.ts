import { statSync } from 'node:fs'
import { join } from 'node:path'
import { asString, parseObject } from '../../json-object.ts'
import { textIn } from '../../system/text-file.ts'
import { type ModelEntry, modelEntries } from './model-entry.ts'

/** What an installed Codex cached when it last fetched the models (docs/upstream.md 4.7). */
export type CodexModelsCache = {
  readonly clientVersion: string | undefined
  readonly models: readonly ModelEntry[]
}

const NOTHING: CodexModelsCache = { clientVersion: undefined, models: [] }

/** Reads `models_cache.json` in Codex's folder, again only if the file changed. Never throws: it is only a fallback. */
export function codexModelsCache(codexHome: string): () => CodexModelsCache {
  const path = join(codexHome, 'models_cache.json')
  let seen = ''
  let cache = NOTHING
  return () => {
    const stamp = stampOf(path)
    if (stamp !== seen) {
      seen = stamp
      cache = stamp === '' ? NOTHING : read(path)
    }
    return cache
  }
}

/** Changes with the file; empty if there is none. Every request checks it, so an absent file must not cost an Error. */
function stampOf(path: string): string {
  try {
    const stats = statSync(path, { throwIfNoEntry: false })
    return stats === undefined ? '' : `${stats.mtimeMs} ${stats.size} ${stats.ino}`
  } catch {
    return ''
  }
}

function read(path: string): CodexModelsCache {
  const content = parseObject(textIn(path) ?? '')
  return { clientVersion: asString(content?.client_version), models: modelEntries(content) ?? [] }
}
