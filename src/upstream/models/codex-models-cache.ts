import { statSync } from 'node:fs'
import { join } from 'node:path'
import { parseObject } from '../../json-object.ts'
import { textIn } from '../../system/text-file.ts'
import { type ModelEntry, modelEntries } from './model-entry.ts'

/** What an installed Codex noted of its last look at the models (docs/upstream.md 4.7). */
export type CodexModelsCache = {
  readonly clientVersion: string | undefined
  readonly models: readonly ModelEntry[]
}

const NOTHING: CodexModelsCache = { clientVersion: undefined, models: [] }

/** Reads `models_cache.json` of Codex's folder; again only when the file changed. Never throws: it's only a help. */
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

/** Changes with the file; empty if there is none. Every request asks, so an absent file must not cost an Error. */
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
  const version = content?.client_version
  return { clientVersion: typeof version === 'string' ? version : undefined, models: modelEntries(content) ?? [] }
}
