import { codexModelsCache } from './codex-models-cache.ts'

/** The Codex this program was written against; what upstream is told when no other is known. */
const BUILT_IN_VERSION = '0.169.0'

/** It goes into headers and URLs: nothing but a version of the usual form may. */
const VERSION = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/

/**
 * The Codex version told upstream, which hides newer models from older ones (wire.md 4.2): the setting, else that of
 * the Codex which last looked at the models on this machine, else the one this program was written against.
 */
export function createClientVersion({
  setting,
  codexHome,
}: {
  readonly setting: string | undefined
  readonly codexHome: string
}): () => string {
  if (setting !== undefined) return () => setting
  const cache = codexModelsCache(codexHome)
  return () => {
    const { clientVersion = '' } = cache()
    return VERSION.test(clientVersion) ? clientVersion : BUILT_IN_VERSION
  }
}
