/**
 * Every failure that is ours to explain: its HTTP status, and what the person should do. `docs/errors.md` is generated
 * from this table. A failure that upstream explains itself keeps upstream's own code and is an `ApiError` without a row
 * here.
 */
export const ERRORS = {
  credentials_missing: {
    status: 401,
    remedy: 'Sign in with `codex login`, or with an API key: `codex login --with-api-key`.',
  },
  credentials_in_keyring: {
    status: 401,
    remedy: 'Set `cli_auth_credentials_store = "file"` in Codex\'s config.toml, then run `codex login` again.',
  },
  credentials_unreadable: {
    status: 401,
    remedy: 'Make auth.json readable for the user who runs the proxy, or sign in again with `codex login`.',
  },
  credentials_malformed: {
    status: 401,
    remedy:
      'Sign in again with `codex login`, or with an API key: `codex login --with-api-key`; it writes a new auth.json.',
  },
  credentials_unsupported: {
    status: 401,
    remedy: 'Sign in with `codex login`, or with an API key: `codex login --with-api-key`.',
  },
  login_expired: { status: 401, remedy: 'Sign in again with `codex login`; the next request picks it up.' },
  login_stale: {
    status: 401,
    remedy:
      'Let Codex refresh the login, for example by `codex exec hi` (`codex login status` does not refresh it), or let the proxy write to auth.json and its folder (without `--credentials read-only`).',
  },
  refresh_failed: {
    status: 503,
    remedy:
      'Try again a little later; if it keeps failing, check the network and the --proxy setting with `codex-api-proxy doctor`.',
  },
  credentials_unwritable: {
    status: 503,
    remedy:
      'Free some disk space for auth.json, or lift the limit that the error code stands for; the next request tries again.',
  },
  upstream_rejected_credentials: { status: 401, remedy: 'Sign in again with `codex login`, or check the API key.' },
  client_key_invalid: {
    status: 401,
    remedy: 'Send the key the proxy was started with as `Authorization: Bearer <key>` or `x-api-key`.',
  },
  host_not_allowed: {
    status: 403,
    remedy: 'Use the address the proxy listens on, or allow this host with `--allow-host`.',
  },
  origin_not_allowed: {
    status: 403,
    remedy:
      'Web pages may not call the proxy; if this one should, allow its origin with `--allow-origin` (not `null`, which every page can send).',
  },
  unsupported_content_type: { status: 415, remedy: 'Send the body as `Content-Type: application/json`.' },
  unsupported_content_encoding: {
    status: 415,
    remedy: 'Send the body uncompressed, or compressed with zstd, gzip, deflate or br.',
  },
  invalid_json: { status: 400, remedy: 'Send a valid JSON body.' },
  invalid_value: { status: 400, remedy: 'Correct the field named in `param`.' },
  missing_required_parameter: { status: 400, remedy: 'Add the field named in `param`.' },
  invalid_type: { status: 400, remedy: 'Correct the field named in `param`; if that is null, the body itself.' },
  empty_array: { status: 400, remedy: 'Put at least one element into the list named in `param`.' },
  array_above_max_length: { status: 400, remedy: 'Shorten the list named in `param`.' },
  invalid_function_parameters: { status: 400, remedy: 'Correct the schema, or set `strict` to false.' },
  integer_above_max_value: { status: 400, remedy: 'Lower the number named in `param`.' },
  integer_below_min_value: { status: 400, remedy: 'Raise the number named in `param`.' },
  unsupported_parameter: {
    status: 400,
    remedy: 'Leave out the field, or the value that is refused; the ChatGPT backend has no equivalent.',
  },
  previous_response_not_found: {
    status: 400,
    remedy:
      'Send the whole conversation as `input`. The ChatGPT backend stores no responses; the proxy remembers those not requested with `store: false`, for a day, until it restarts, or until newer ones need the memory.',
  },
  unsupported_value: { status: 400, remedy: 'Use another value for the field named in `param`.' },
  invalid_http: {
    status: 400,
    remedy: 'Send HTTP/1.1, to `https://…` if the proxy was started with `--tls-cert`, else to `http://…`.',
  },
  invalid_body: { status: 400, remedy: 'Check how the client encodes the body.' },
  request_too_large: { status: 413, remedy: 'Send less, or raise `--max-body` (decoded: `--max-decoded-body`).' },
  too_many_values: { status: 413, remedy: 'Send less in one request, or data as text instead of lists and objects.' },
  headers_too_large: { status: 431, remedy: 'Send fewer or shorter headers, or raise `--max-headers`.' },
  request_timeout: { status: 408, remedy: 'Send the request faster, or raise `--request-timeout`.' },
  not_found: {
    status: 404,
    remedy: 'The base URL for clients ends with `/v1`; the README lists the paths that the proxy serves.',
  },
  upstream_body_limit: {
    status: 413,
    remedy: 'Shorten the conversation or start a new one; the images of all its turns are sent each time.',
  },
  client_version_outdated: {
    status: 400,
    remedy: 'Start the proxy with a newer `--client-version` (the version of a current Codex), or update Codex.',
  },
  model_not_found: {
    status: 404,
    remedy: 'Choose a model from `GET /v1/models`; a very new one may need a newer `--client-version`.',
  },
  api_key_required: {
    status: 404,
    remedy: 'With an API key (`codex login --with-api-key`) this path is forwarded to api.openai.com.',
  },
  method_not_allowed: { status: 405, remedy: 'Use the method named in `Allow`.' },
  websocket_unsupported: { status: 426, remedy: 'Use HTTP; answers stream over SSE.' },
  tunnel_unsupported: {
    status: 501,
    remedy: 'Give clients its address as their base URL, not in `HTTPS_PROXY` or `HTTP_PROXY`.',
  },
  too_many_requests: { status: 429, remedy: 'Wait for running requests to end, or raise `--max-concurrent`.' },
  upstream_blocked: {
    status: 502,
    remedy:
      'The CDN in front of upstream refused this network, or a gateway in this network interferes; try another network or outbound proxy. Signing in again does not help.',
  },
  upstream_unreachable: {
    status: 502,
    remedy: 'Check the network and the --proxy setting with `codex-api-proxy doctor`.',
  },
  outbound_proxy_failed: { status: 502, remedy: 'Check the outbound proxy named above, or start with `--proxy none`.' },
  // Within a stream there is no status: pi retries if it finds OpenAI's own words, `you can retry your request`.
  upstream_timeout: { status: 504, remedy: 'You can retry your request.' },
  upstream_stream_cut: { status: 502, remedy: 'You can retry your request.' },
  upstream_invalid: { status: 502, remedy: 'You can retry your request.' },
  upstream_error: { status: 502, remedy: 'You can retry your request in a moment.' },
  draining: { status: 503, remedy: 'The proxy is stopping; you can retry your request in a moment.' },
  program_replaced: {
    status: 500,
    remedy: 'Restart the proxy, with `codex-api-proxy restart` if it runs in the background.',
  },
  internal_error: {
    status: 500,
    remedy:
      'This is a bug in the proxy: please report it, with the error that its log has for this request (`codex-api-proxy logs`).',
  },
} as const satisfies Record<string, { status: number; remedy: string }>

export type ErrorCode = keyof typeof ERRORS
