import { type Command, Option as Flag } from 'commander'
import { type GivenSettings, OPTION_NAMES, settingsIn } from '../config/load.ts'
import type { Option } from '../config/option.ts'
import { OPTIONS, type OptionName } from '../config/options.ts'
import { shownValue } from './shown.ts'

export const GROUP_TITLES = {
  server: 'Server:',
  security: 'Access:',
  upstream: 'Upstream:',
  conversion: 'Conversion:',
  limits: 'Limits:',
  daemon: 'Files:',
} as const satisfies Record<Option<unknown>['group'], string>

/** Adds the flags of these settings to a command, as the table words them. */
export function addSettings(command: Command, names: 'all' | readonly OptionName[]): Command {
  for (const name of settingNames(names)) {
    const flag = settingFlag(OPTIONS[name])
    if (flag !== undefined) command.addOption(flag)
  }
  return command
}

export function settingNames(names: 'all' | readonly OptionName[]): readonly OptionName[] {
  return names === 'all' ? OPTION_NAMES : names
}

/** The settings among a command's flags, as they were written: `loadConfig` reads and judges them. */
export function settingsOf(flags: Readonly<Record<string, unknown>>): GivenSettings {
  // A switch without a value is on.
  const written = Object.entries(flags).map(([name, value]) => [name, value === true ? 'true' : value])
  return settingsIn(Object.fromEntries(written))
}

/** The default as help and docs show it; undefined when there is nothing to show. */
export function shownDefault(option: Option<unknown>): string | undefined {
  const shown = option.default === false ? '-' : shownValue(option, option.default)
  return shown === '-' ? undefined : shown
}

function settingFlag(option: Option<unknown>): Flag | undefined {
  if (option.flag === undefined) return undefined
  const notes = [
    option.choices && `choices: ${option.choices.join(', ')}`,
    shownDefault(option) && `default: ${shownDefault(option)}`,
    option.env && `env: ${option.env.join(', ')}`,
  ].filter((note) => note !== undefined)
  const help = notes.length === 0 ? option.help : `${option.help} (${notes.join('; ')})`
  const isToggle = !option.flag.includes('<')
  // `--strict=false` overrides a setting that `restart` would reuse.
  const flag = new Flag(isToggle ? `${option.flag} [boolean]` : option.flag, help).helpGroup(GROUP_TITLES[option.group])
  if (option.repeatable) flag.argParser((text: string, before?: string[]) => [...(before ?? []), text])
  return flag
}
