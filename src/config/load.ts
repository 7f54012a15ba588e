import type { Option } from './option.ts'
import { type Config, OPTIONS, type OptionName } from './options.ts'
import { absolutePath, type Bases } from './paths.ts'
import { UsageError } from './usage-error.ts'

/** Settings as the user wrote them; a repeatable one has a list. Saved paths are absolute. */
export type GivenSettings = { readonly [Name in OptionName]?: string | readonly string[] }

type Origin = 'flag' | `variable ${string}` | 'saved' | 'default'
export type Origins = Readonly<Record<OptionName, Origin>>

export type LoadedConfig = {
  readonly config: Config
  readonly origins: Origins
  /** Every setting that isn't at its default, ready to be saved and loaded again from any folder. */
  readonly given: GivenSettings
  /** Why settings that are not needed are unusable; they count as not set. */
  readonly unusable: readonly string[]
}

export type Sources = {
  readonly flags: GivenSettings
  readonly env: Readonly<Record<string, string | undefined>>
  readonly saved?: GivenSettings
  readonly bases: Bases
  /** The settings that the caller uses (all, if absent): an invalid value of any other one must not stop it. */
  readonly needed?: readonly OptionName[] | undefined
}

export const OPTION_NAMES = Object.keys(OPTIONS).filter(isOptionName)

/**
 * Flags override variables, those override saved settings, those override defaults. Throws a UsageError that names the
 * flag or variable of a needed setting that is unusable.
 */
export function loadConfig(sources: Sources): LoadedConfig {
  const unusable: string[] = []
  const settings = OPTION_NAMES.map((name) => {
    const setting = readSetting(name, sources, (reason) => unusable.push(reason))
    return [name, setting] as const
  })
  // One entry per name of the table, parsed by its own row: the types say so, but Object.fromEntries can't know.
  return {
    config: Object.fromEntries(settings.map(([name, { value }]) => [name, value])) as Config,
    origins: Object.fromEntries(settings.map(([name, { origin }]) => [name, origin])) as Origins,
    given: Object.fromEntries(settings.flatMap(([name, { given }]) => (given === undefined ? [] : [[name, given]]))),
    unusable,
  }
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name)
}

/** The settings among these fields, as they were given. */
export function settingsIn(fields: Readonly<Record<string, unknown>>): GivenSettings {
  const settings = Object.entries(fields).filter(
    (field): field is [OptionName, string | string[]] => isOptionName(field[0]) && isGiven(field[1]),
  )
  return Object.fromEntries(settings)
}

function isGiven(value: unknown): value is string | string[] {
  return typeof value === 'string' || (Array.isArray(value) && value.every((each) => typeof each === 'string'))
}

/** `--port` of `--port <number>`. */
export function flagName(option: Pick<Option<unknown>, 'flag'>): string | undefined {
  return option.flag?.split(' ')[0]
}

/** `--port`; of a setting without a flag the first variable. */
export function shortName(option: Pick<Option<unknown>, 'flag' | 'env'>): string {
  return flagName(option) ?? option.env?.[0] ?? ''
}

/** `--port (or CODEX_PROXY_PORT)`: a variable may have been set long ago, in a shell profile. */
export function settingName(option: Pick<Option<unknown>, 'flag' | 'env'>): string {
  const [first = '', ...others] = [flagName(option) ?? [], option.env ?? []].flat()
  return others.length === 0 ? first : `${first} (or ${others.join(', ')})`
}

type Setting = {
  readonly value: unknown
  readonly origin: Origin
  /** As it was written; absent for the default. */
  readonly given?: string | readonly string[]
}

/** An unusable value throws if the setting is needed, and counts as not set otherwise. */
function readSetting(name: OptionName, sources: Sources, ignored: (reason: string) => void): Setting {
  const option: Option<unknown> = OPTIONS[name]
  const found = findUnlessReplaced(name, sources)
  const standard = { value: defaultOf(option, sources.bases), origin: 'default' } as const
  if (found === undefined) return standard
  const texts = textsOf(option, found.given, sources.bases)
  try {
    return {
      value: parseAll(option, texts, found),
      origin: found.origin,
      given: option.repeatable ? texts : (texts.at(-1) ?? ''),
    }
  } catch (error) {
    const isNeeded = sources.needed?.includes(name) ?? true
    if (isNeeded || !(error instanceof UsageError)) throw error
    ignored(error.message)
    return standard
  }
}

/** Two ways to give the same thing: the one with the lower rank wins. */
const EITHER_OR: Partial<Record<OptionName, OptionName>> = { apiKey: 'apiKeyFile', apiKeyFile: 'apiKey' }

function findUnlessReplaced(name: OptionName, sources: Sources): Found | undefined {
  const found = find(name, sources)
  const other = EITHER_OR[name] && find(EITHER_OR[name], sources)
  return found && other && other.rank < found.rank ? undefined : found
}

/** The lower the rank, the closer to the user: flag, variable, saved. `source` is the origin in words. */
type Found = { origin: Origin; rank: number; given: string | readonly string[]; source: string }

function find(name: OptionName, { flags, env, saved = {} }: Sources): Found | undefined {
  const option: Option<unknown> = OPTIONS[name]
  if (flags[name] !== undefined) {
    return { origin: 'flag', rank: 0, given: flags[name], source: shortName(option) }
  }
  for (const variable of option.env ?? []) {
    const text = env[variable]
    // An empty variable counts as not set, so that a line in a shell or a unit file can undo a setting.
    if (text !== undefined && text !== '') {
      return { origin: `variable ${variable}`, rank: 1, given: text, source: variable }
    }
  }
  const given = saved[name]
  return given === undefined ? undefined : { origin: 'saved', rank: 2, given, source: `saved setting ${name}` }
}

/** The single values; paths are made absolute, except for an empty one, which is refused. */
function textsOf({ repeatable, path }: Option<unknown>, given: Found['given'], bases: Bases): string[] {
  const list = [given].flat()
  const texts = repeatable ? list.flatMap((text) => text.split(',')).map((text) => text.trim()) : list
  return path ? texts.map((text) => text && absolutePath(text, bases)) : texts
}

function parseAll(option: Option<unknown>, texts: readonly string[], found: Found): unknown {
  const values = texts.map((text) => parseOne(option, text, found))
  return option.repeatable ? values.flat() : values.at(-1)
}

/** What a newer version saved may mean nothing to an older one. */
const SAVED_REMEDY = ' Give another value to `restart`, or all settings to `start` again.'

function parseOne(option: Option<unknown>, text: string, { source, origin }: Found): unknown {
  try {
    return option.parse(text)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    // A URL may name a user and a password where none are allowed.
    const isSecret = option.secret !== undefined || text.includes('@')
    const shown = isSecret ? source : `${source} ${JSON.stringify(text)}`
    throw new UsageError(`${shown}: ${error.message}${origin === 'saved' ? SAVED_REMEDY : ''}`)
  }
}

function defaultOf(option: Option<unknown>, bases: Bases): unknown {
  return option.path && typeof option.default === 'string' ? absolutePath(option.default, bases) : option.default
}
