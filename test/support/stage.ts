import OpenAI from 'openai'
import { type FakeUpstream, type FakeUpstreamOptions, startFakeUpstream } from '../fake-upstream/server.ts'
import { chatgptAuth } from './auth-files.ts'
import { createHome, type Foreground, type Home, startForeground } from './program.ts'
import { type WatchedAnswer, watchAnswer } from './watched-answer.ts'

/** The real program between the official client and a fake upstream. */
export type Stage = {
  readonly home: Home
  readonly upstream: FakeUpstream
  readonly proxy: Foreground
  /** Retries nothing, so that each failure is seen once. */
  readonly client: OpenAI
  /** Sends to the proxy: a path from the root, e.g. `/v1/models`. */
  send(path: string, init?: RequestInit): Promise<Response>
  /** `POST` with a JSON body. */
  post(path: string, body: unknown): Promise<Response>
  /** The same for a stream, which is seen while it arrives. */
  stream(path: string, body: object): Promise<WatchedAnswer>
  metrics(): Promise<Record<string, number>>
  close(): Promise<void>
}

type StageOptions = {
  /** The content of auth.json; null leaves it out. */
  readonly auth?: unknown
  /** Further arguments of `start`. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly upstream?: FakeUpstreamOptions
}

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const { auth = chatgptAuth(), args = [], env = {} } = options
  const home = await createHome()
  const upstream = await startFakeUpstream(options.upstream)
  if (auth !== null) await home.writeAuth(auth)
  const proxy = await startForeground(['--proxy', 'none', '--log-level', 'warning', ...args], {
    home,
    env: { ...variables(upstream), ...env },
  })
  return {
    home,
    upstream,
    proxy,
    client: new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: 'unused', maxRetries: 0 }),
    send: (path, init) => fetch(`${proxy.url}${path}`, init),
    post: (path, body) =>
      fetch(`${proxy.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    stream: (path, body) => watchAnswer(proxy.url, path, { ...body, stream: true }),
    metrics: async () => (await (await fetch(`${proxy.url}/metrics`)).json()) as Record<string, number>,
    async close() {
      await proxy.stop()
      await upstream.close()
      await home.remove()
    },
  }
}

/** Nothing may leave this machine, a refresh of the login neither; and what a test left running is not waited for. */
function variables(upstream: FakeUpstream): Record<string, string> {
  return {
    CODEX_PROXY_DRAIN_TIMEOUT: '100ms',
    CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl,
    CODEX_API_PROXY_OPENAI_BASE_URL: upstream.openaiBaseUrl,
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${upstream.origin}/no-token-issuer`,
  }
}
