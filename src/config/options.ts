import {
  baseUrl,
  byteSize,
  choice,
  codexVersion,
  count,
  credentialUrl,
  duration,
  hostName,
  origin,
  outboundProxyUrl,
  port,
  positiveCount,
  text,
  toggle,
} from './parsers.ts'

/** One setting: where it can be given, what it means, and how its text is read. */
export type Option<Value> = {
  /** As commander reads it, e.g. `--port <number>`. Absent: only the variable sets it. */
  readonly flag?: string
  /** Variables that set it, the first that is set wins. */
  readonly env?: readonly string[]
  readonly default: Value
  readonly help: string
  readonly group: 'server' | 'security' | 'upstream' | 'conversion' | 'limits' | 'daemon'
  /** Throws a UsageError that says what is allowed. */
  readonly parse: (given: string) => Value
  /** Given several times, or separated by commas, the values add up. */
  readonly repeatable?: boolean
  /** Never shown, and never in the state file: `restart` finds it in a file of its own (daemon/state-file.ts). */
  readonly secret?: boolean
  /** A path: `~` and relative ones are made absolute when settings are loaded, since the daemon runs elsewhere. */
  readonly path?: boolean
  readonly choices?: readonly string[]
}

const option = <Value>(definition: Option<Value>): Option<Value> => definition

const LOG_LEVELS = ['debug', 'info', 'warning', 'error'] as const
const CREDENTIAL_MODES = ['read-write', 'read-only'] as const
const REASONING_SUMMARIES = ['auto', 'none'] as const

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
  logLevel: option<(typeof LOG_LEVELS)[number]>({
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
    secret: true,
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
    help: 'Listen on an address others can reach without a client key.',
    group: 'security',
    parse: toggle,
  }),
  allowHost: option<readonly string[]>({
    flag: '--allow-host <name>',
    env: ['CODEX_PROXY_ALLOW_HOST'],
    default: [],
    help: 'Further `Host` names to answer to (may be repeated).',
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
    help: 'Certificate (PEM) to serve HTTPS; with --tls-key.',
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
  proxy: option<string | undefined>({
    flag: '--proxy <url>',
    env: ['CODEX_API_PROXY_HTTPS_PROXY', 'HTTPS_PROXY', 'https_proxy'],
    default: undefined,
    help: 'Outbound proxy (http, https or socks5 URL), or `none`. Unset: http://127.0.0.1:8118 while it listens.',
    group: 'upstream',
    parse: outboundProxyUrl,
    secret: true,
  }),
  noProxy: option<string | undefined>({
    env: ['NO_PROXY', 'no_proxy'],
    default: undefined,
    help: 'Hosts that are reached without the outbound proxy.',
    group: 'upstream',
    parse: text,
  }),
  codexHome: option({
    env: ['CODEX_HOME'],
    default: '~/.codex',
    help: 'Folder of the Codex CLI, with auth.json in it.',
    group: 'upstream',
    parse: text,
    path: true,
  }),
  refreshTokenUrl: option<string | undefined>({
    env: ['CODEX_REFRESH_TOKEN_URL_OVERRIDE'],
    default: undefined,
    help: 'Where the login is refreshed instead of the usual issuer; https, or http on loopback.',
    group: 'upstream',
    parse: credentialUrl,
  }),
  loginClientId: option<string | undefined>({
    env: ['CODEX_APP_SERVER_LOGIN_CLIENT_ID'],
    default: undefined,
    help: 'OAuth client id used to refresh the login instead of the usual one.',
    group: 'upstream',
    parse: text,
  }),
  credentials: option<(typeof CREDENTIAL_MODES)[number]>({
    flag: '--credentials <mode>',
    env: ['CODEX_PROXY_CREDENTIALS'],
    default: 'read-write',
    help: 'read-only never refreshes the login: it re-reads auth.json and leaves refreshing to Codex.',
    group: 'upstream',
    parse: choice(CREDENTIAL_MODES),
    choices: CREDENTIAL_MODES,
  }),
  clientVersion: option<string | undefined>({
    flag: '--client-version <version>',
    env: ['CODEX_PROXY_CLIENT_VERSION'],
    default: undefined,
    help: 'Codex version told to upstream, which hides newer models from older ones. Unset: that of the installed Codex.',
    group: 'upstream',
    parse: codexVersion,
  }),
  chatgptBaseUrl: option({
    env: ['CODEX_API_PROXY_CHATGPT_BASE_URL'],
    default: 'https://chatgpt.com/backend-api/codex',
    help: 'Upstream for a ChatGPT login; https, or http on loopback.',
    group: 'upstream',
    parse: baseUrl,
  }),
  openaiBaseUrl: option({
    env: ['CODEX_API_PROXY_OPENAI_BASE_URL'],
    default: 'https://api.openai.com/v1',
    help: 'Upstream for an API key; https, or http on loopback.',
    group: 'upstream',
    parse: baseUrl,
  }),
  strict: option({
    flag: '--strict',
    env: ['CODEX_PROXY_STRICT'],
    default: false,
    help: 'Refuse fields that would be ignored, instead of reporting them.',
    group: 'conversion',
    parse: toggle,
  }),
  reasoningSummary: option<(typeof REASONING_SUMMARIES)[number]>({
    flag: '--reasoning-summary <mode>',
    env: ['CODEX_PROXY_REASONING_SUMMARY'],
    default: 'auto',
    help: 'Ask for reasoning summaries and show them to Chat clients as `reasoning_content`, or not.',
    group: 'conversion',
    parse: choice(REASONING_SUMMARIES),
    choices: REASONING_SUMMARIES,
  }),
  maxBody: option({
    flag: '--max-body <size>',
    env: ['CODEX_PROXY_MAX_BODY'],
    default: 64 * 1024 * 1024,
    help: 'Largest request body as sent (compressed or not).',
    group: 'limits',
    parse: byteSize,
  }),
  maxDecodedBody: option({
    flag: '--max-decoded-body <size>',
    env: ['CODEX_PROXY_MAX_DECODED_BODY'],
    default: 128 * 1024 * 1024,
    help: 'Largest request body after decompression.',
    group: 'limits',
    parse: byteSize,
  }),
  maxHeaders: option({
    flag: '--max-headers <size>',
    env: ['CODEX_PROXY_MAX_HEADERS'],
    default: 64 * 1024,
    help: 'Largest block of request headers.',
    group: 'limits',
    parse: byteSize,
  }),
  maxEvent: option({
    flag: '--max-event <size>',
    env: ['CODEX_PROXY_MAX_EVENT'],
    default: 64 * 1024 * 1024,
    help: 'Largest single event of an upstream stream.',
    group: 'limits',
    parse: byteSize,
  }),
  maxConcurrent: option({
    flag: '--max-concurrent <number>',
    env: ['CODEX_PROXY_MAX_CONCURRENT'],
    default: 2048,
    help: 'Most requests served at the same time.',
    group: 'limits',
    parse: positiveCount,
  }),
  maxQueue: option({
    flag: '--max-queue <number>',
    env: ['CODEX_PROXY_MAX_QUEUE'],
    default: 256,
    help: 'Most requests waiting for a place; more are answered 429.',
    group: 'limits',
    parse: count,
  }),
  requestTimeout: option({
    flag: '--request-timeout <duration>',
    env: ['CODEX_PROXY_REQUEST_TIMEOUT'],
    default: 120_000,
    help: 'How long a client may take to send its whole request.',
    group: 'limits',
    parse: duration,
  }),
  connectTimeout: option({
    flag: '--connect-timeout <duration>',
    env: ['CODEX_PROXY_CONNECT_TIMEOUT'],
    default: 15_000,
    help: 'How long connecting to upstream may take.',
    group: 'limits',
    parse: duration,
  }),
  headerTimeout: option({
    flag: '--header-timeout <duration>',
    env: ['CODEX_PROXY_HEADER_TIMEOUT'],
    default: 600_000,
    help: 'How long upstream may take to begin its answer.',
    group: 'limits',
    parse: duration,
  }),
  idleTimeout: option({
    flag: '--idle-timeout <duration>',
    env: ['CODEX_PROXY_IDLE_TIMEOUT'],
    default: 900_000,
    help: 'How long upstream may be silent within an answer; long reasoning is.',
    group: 'limits',
    parse: duration,
  }),
  slowClientTimeout: option({
    flag: '--slow-client-timeout <duration>',
    env: ['CODEX_PROXY_SLOW_CLIENT_TIMEOUT'],
    default: 300_000,
    help: 'How long a client may leave an answer unread.',
    group: 'limits',
    parse: duration,
  }),
  keepAlive: option({
    flag: '--keep-alive <duration>',
    env: ['CODEX_PROXY_KEEP_ALIVE'],
    default: 15_000,
    help: 'After how much silence a keep-alive comment goes to the client.',
    group: 'limits',
    parse: duration,
  }),
  drainTimeout: option({
    flag: '--drain-timeout <duration>',
    env: ['CODEX_PROXY_DRAIN_TIMEOUT'],
    default: 30_000,
    help: 'How long running answers may take to finish after a stop.',
    group: 'limits',
    parse: duration,
  }),
  pidFile: option({
    flag: '--pid-file <path>',
    default: '~/.codex-api-proxy/codex-api-proxy.pid',
    help: 'Where the daemon notes its process id.',
    group: 'daemon',
    parse: text,
    path: true,
  }),
  logFile: option({
    flag: '--log-file <path>',
    default: '~/.codex-api-proxy/codex-api-proxy.log',
    help: 'Where the daemon logs.',
    group: 'daemon',
    parse: text,
    path: true,
  }),
  stateFile: option({
    flag: '--state-file <path>',
    default: '~/.codex-api-proxy/codex-api-proxy.state.json',
    help: 'Where the daemon notes its settings for `restart`.',
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
