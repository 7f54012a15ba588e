import { option } from './option.ts'
import { baseUrl, codexVersion, credentialUrl, oneOf, outboundProxyUrl, text } from './parsers.ts'

/** The rows of the table of settings (`options.ts`) for upstream: how it is reached, and with which identity. */
export const UPSTREAM_OPTIONS = {
  proxy: option<string | undefined>({
    flag: '--proxy <url>',
    env: ['CODEX_API_PROXY_HTTPS_PROXY', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'],
    default: undefined,
    help: 'Outbound proxy (http, https or socks5 URL), or `none`. If unset: http://127.0.0.1:8118 while something listens there, else direct.',
    group: 'upstream',
    parse: outboundProxyUrl,
    secret: 'login',
  }),
  noProxy: option<string | undefined>({
    env: ['NO_PROXY', 'no_proxy'],
    default: undefined,
    help: 'Hosts that are reached without the outbound proxy.',
    group: 'upstream',
    // A list without names is one too: `NO_PROXY="$MINE $THEIRS"`.
    parse: (given) => given,
  }),
  codexHome: option({
    env: ['CODEX_HOME'],
    default: '~/.codex',
    help: 'Folder of the Codex CLI, which contains auth.json.',
    group: 'upstream',
    parse: text,
    path: true,
  }),
  refreshTokenUrl: option<string | undefined>({
    env: ['CODEX_REFRESH_TOKEN_URL_OVERRIDE'],
    default: undefined,
    help: 'URL to refresh the login at instead of the usual issuer; https, or http on loopback.',
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
  credentials: option({
    flag: '--credentials <mode>',
    env: ['CODEX_PROXY_CREDENTIALS'],
    default: 'read-write',
    help: 'With `read-only` the proxy never refreshes the login: it re-reads auth.json and leaves refreshing to Codex.',
    group: 'upstream',
    ...oneOf('read-write', 'read-only'),
  }),
  clientVersion: option<string | undefined>({
    flag: '--client-version <version>',
    env: ['CODEX_PROXY_CLIENT_VERSION'],
    default: undefined,
    help: 'Codex version sent to upstream, which hides newer models from older versions. If unset: that of the installed Codex or the one built in, whichever is newer.',
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
  compressRequests: option({
    flag: '--compress-requests <mode>',
    env: ['CODEX_PROXY_COMPRESS_REQUESTS'],
    default: 'auto',
    help: 'Whether to compress long requests with a ChatGPT login; auto: only to the ChatGPT backend itself.',
    group: 'upstream',
    ...oneOf('auto', 'always', 'never'),
  }),
} as const
