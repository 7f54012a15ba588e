import { LIMIT_OPTIONS } from './limit-options.ts'
import { option } from './option.ts'
import { byteSize, choice, hostName, origin, port, text, toggle } from './parsers.ts'
import { UPSTREAM_OPTIONS } from './upstream-options.ts'

const LOG_LEVELS = ['debug', 'info', 'warning', 'error'] as const
const REASONING_SUMMARIES = ['auto', 'none'] as const
const LITE_LANES = ['auto', 'none'] as const

/** The one table of settings: flags, variables, help, `status --verbose` and `docs/options.md` come from it. */
export const OPTIONS = {
  host: option({
    flag: '--host <address>',
    env: ['CODEX_PROXY_HOST'],
    default: '127.0.0.1',
    help: 'Address to listen on.',
    group: 'server',
    parse: hostName,
  }),
  port: option({
    flag: '--port <number>',
    env: ['CODEX_PROXY_PORT'],
    default: 8765,
    help: 'Port to listen on; 0 picks a free one.',
    group: 'server',
    parse: port,
  }),
  logLevel: option({
    flag: '--log-level <level>',
    env: ['CODEX_PROXY_LOG_LEVEL'],
    default: 'info',
    help: 'What to log; debug records prompts and answers.',
    group: 'server',
    parse: choice(LOG_LEVELS),
    choices: LOG_LEVELS,
  }),
  apiKey: option<string | undefined>({
    flag: '--api-key <key>',
    env: ['CODEX_PROXY_API_KEY'],
    default: undefined,
    help: 'Key that clients must send as `Authorization: Bearer <key>` or `x-api-key`.',
    group: 'security',
    parse: text,
    secret: 'whole',
  }),
  apiKeyFile: option<string | undefined>({
    flag: '--api-key-file <path>',
    env: ['CODEX_PROXY_API_KEY_FILE'],
    default: undefined,
    help: 'File that holds the client key, so that it is not in the process list.',
    group: 'security',
    parse: text,
    path: true,
  }),
  insecureNoKey: option({
    flag: '--insecure-no-key',
    env: ['CODEX_PROXY_INSECURE_NO_KEY'],
    default: false,
    help: 'Allow listening beyond loopback without a client key.',
    group: 'security',
    parse: toggle,
  }),
  allowHost: option<readonly string[]>({
    flag: '--allow-host <name>',
    env: ['CODEX_PROXY_ALLOW_HOST'],
    default: [],
    help: 'Additional `Host` names to accept (may be repeated).',
    group: 'security',
    parse: (given) => [hostName(given)],
    repeatable: true,
  }),
  allowOrigin: option<readonly string[]>({
    flag: '--allow-origin <origin>',
    env: ['CODEX_PROXY_ALLOW_ORIGIN'],
    default: [],
    help: 'Web origins whose pages may call the proxy (may be repeated).',
    group: 'security',
    parse: (given) => [origin(given)],
    repeatable: true,
  }),
  tlsCert: option<string | undefined>({
    flag: '--tls-cert <path>',
    env: ['CODEX_PROXY_TLS_CERT'],
    default: undefined,
    help: 'Certificate (PEM) to serve HTTPS with; needs --tls-key.',
    group: 'security',
    parse: text,
    path: true,
  }),
  tlsKey: option<string | undefined>({
    flag: '--tls-key <path>',
    env: ['CODEX_PROXY_TLS_KEY'],
    default: undefined,
    help: 'Private key (PEM) of the certificate.',
    group: 'security',
    parse: text,
    path: true,
  }),
  ...UPSTREAM_OPTIONS,
  strict: option({
    flag: '--strict',
    env: ['CODEX_PROXY_STRICT'],
    default: false,
    help: 'Refuse fields that would be ignored, instead of reporting them.',
    group: 'conversion',
    parse: toggle,
  }),
  reasoningSummary: option({
    flag: '--reasoning-summary <mode>',
    env: ['CODEX_PROXY_REASONING_SUMMARY'],
    default: 'auto',
    help: 'auto: request reasoning summaries and show them to Chat clients as `reasoning_content`; none: do not.',
    group: 'conversion',
    parse: choice(REASONING_SUMMARIES),
    choices: REASONING_SUMMARIES,
  }),
  liteLane: option({
    flag: '--lite-lane <mode>',
    env: ['CODEX_PROXY_LITE_LANE'],
    default: 'auto',
    help: 'auto: if upstream refuses a model that its list marks for the Lite lane of Codex, request it again there; none: do not.',
    group: 'conversion',
    parse: choice(LITE_LANES),
    choices: LITE_LANES,
  }),
  ...LIMIT_OPTIONS,
  pidFile: option({
    flag: '--pid-file <path>',
    default: '~/.codex-api-proxy/codex-api-proxy.pid',
    help: 'Where the background server writes its process id.',
    group: 'daemon',
    parse: text,
    path: true,
  }),
  logFile: option({
    flag: '--log-file <path>',
    default: '~/.codex-api-proxy/codex-api-proxy.log',
    help: 'Where the background server logs.',
    group: 'daemon',
    parse: text,
    path: true,
  }),
  stateFile: option({
    flag: '--state-file <path>',
    default: '~/.codex-api-proxy/codex-api-proxy.state.json',
    help: 'Where the background server saves its settings for `restart`.',
    group: 'daemon',
    parse: text,
    path: true,
  }),
  logMaxSize: option({
    flag: '--log-max-size <size>',
    env: ['CODEX_PROXY_LOG_MAX_SIZE'],
    default: 10 * 1024 * 1024,
    help: 'Size at which the log file is rotated; one older file is kept.',
    group: 'daemon',
    parse: byteSize,
  }),
} as const

export type OptionName = keyof typeof OPTIONS

/** All settings after flags, variables, saved settings and defaults were merged. */
export type Config = { readonly [Name in OptionName]: ReturnType<(typeof OPTIONS)[Name]['parse']> }
