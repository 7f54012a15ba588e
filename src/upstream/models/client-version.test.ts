import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BUILT_IN_VERSION as BUILT_IN, createClientVersion } from './client-version.ts'
import { codexModelsCache } from './codex-models-cache.ts'

/** The next one after it. */
const PATCHED = BUILT_IN.replace(/\d+$/, (patch) => String(Number(patch) + 1))

describe('the Codex version told upstream', () => {
  let codexHome = ''
  beforeEach(async () => {
    codexHome = await mkdtemp(join(tmpdir(), 'client-version-'))
  })
  afterEach(() => rm(codexHome, { recursive: true }))

  /** Each look is some seconds after the last. */
  let clock = 0
  const now = () => {
    clock += 5000
    return clock
  }
  const note = (content: string) => writeFile(join(codexHome, 'models_cache.json'), content)

  test('case 194: is the setting, whatever Codex is installed', async () => {
    await note('{"client_version":"0.170.1","models":[]}')
    expect(createClientVersion('0.180.0', codexModelsCache(codexHome), now)()).toBe('0.180.0')
  })

  test('is that of the installed Codex, as soon as it is updated', async () => {
    await note('{"client_version":"0.1000.1","models":[]}')
    const version = createClientVersion(undefined, codexModelsCache(codexHome), now)
    expect(version()).toBe('0.1000.1')
    await note('{"client_version":"0.1000.2","models":[]}')
    await utimes(join(codexHome, 'models_cache.json'), 2_000_000_000, 2_000_000_000)
    expect(version()).toBe('0.1000.2')
    await rm(join(codexHome, 'models_cache.json'))
    expect(version()).toBe(BUILT_IN)
  })

  test.each(['0.170.1', '0.99.0', '0.9.12', BUILT_IN, `${BUILT_IN}-alpha.3`])(
    'is not the %s that an old Codex noted: newer models would stay hidden',
    async (noted) => {
      await note(JSON.stringify({ client_version: noted }))
      expect(createClientVersion(undefined, codexModelsCache(codexHome), now)()).toBe(BUILT_IN)
    },
  )

  test.each([PATCHED, '0.1000.0', '1.0.0', '0.1000.0-alpha.3'])('is the %s of a newer Codex', async (noted) => {
    await note(JSON.stringify({ client_version: noted }))
    expect(createClientVersion(undefined, codexModelsCache(codexHome), now)()).toBe(noted)
  })

  test.each([
    ['no file', undefined],
    ['no JSON', '{"client_version":'],
    ['no version', '{"models":[]}'],
    ['no object', 'null'],
    ['a version that would not fit into a header', JSON.stringify({ client_version: '0.170.0\r\nx-evil: 1' })],
    ['a version of another type', '{"client_version":170}'],
  ])('is the built-in one with %s', async (_name, content) => {
    if (content !== undefined) await note(content)
    expect(createClientVersion(undefined, codexModelsCache(codexHome), now)()).toBe(BUILT_IN)
  })
})
