import { GROUP_TITLES, shownDefault } from '../src/cli/setting-flags.ts'
import type { Option } from '../src/config/option.ts'
import { OPTIONS } from '../src/config/options.ts'
import { conversionDocument } from './conversion-document.ts'
import { errorsDocument } from './errors-document.ts'
import { markdownTable } from './markdown-table.ts'

/** Documents made from the tables of the program: `npm run docs` writes them, a test holds them to it. */
export const GENERATED_DOCS: Readonly<Record<string, () => string>> = {
  'docs/conversion.md': conversionDocument,
  'docs/errors.md': errorsDocument,
  'docs/options.md': optionsDocument,
}

const NOTICE = '<!-- Made from the tables in src/config by `npm run docs`; do not edit. -->'

function optionsDocument(): string {
  const options: readonly Option<unknown>[] = Object.values(OPTIONS)
  const groups = Object.entries(GROUP_TITLES).map(([group, title]) => {
    const rows = options.filter((option) => option.group === group).map(optionRow)
    return `## ${title.replace(':', '')}\n\n${markdownTable(['Flag', 'Variable', 'Default', 'Meaning'], rows)}\n`
  })
  return `${NOTICE}

# Settings

Flags override variables, variables override the settings saved by the last start (used by \`restart\`, not by \`start\`), and
those override the defaults; \`codex-api-proxy status --verbose\` shows where each value came from. An empty variable counts as not
set. Where several variables are named, the first one that is set wins.

- Sizes: \`65536\`, \`64k\`, \`32MB\`, \`1GB\` (powers of 1024).
- Durations: \`500ms\`, \`30s\`, \`10m\`, \`1h\`; a bare number means seconds.
- Switches: \`--strict\` means \`--strict=true\`; \`--strict=false\` overrides a saved setting on \`restart\`.
- Lists: repeat the flag, or separate the values by commas.
- Paths: \`~\` is the home folder; relative paths start from the folder where the command runs.

${groups.join('\n')}`
}

function optionRow(option: Option<unknown>): string[] {
  const code = (text: string) => `\`${text}\``
  const choices = option.choices === undefined ? '' : ` One of ${option.choices.map(code).join(', ')}.`
  const shown = shownDefault(option)
  return [
    option.flag === undefined ? '' : code(option.flag),
    (option.env ?? []).map(code).join(', '),
    shown === undefined ? '' : code(shown),
    option.help + choices,
  ]
}
