import { type FakeUpstream, startFakeUpstream } from '../fake-upstream/server.ts'
import { chatgptAuth } from './auth-files.ts'
import { createHome, type Home } from './program.ts'

/** What commands are run in: a home with a login, and a fake upstream for the servers that they start. */
export type CommandStage = {
  readonly home: Home
  readonly upstream: FakeUpstream
  /** Leads to that upstream, without an outbound proxy. */
  readonly env: Record<string, string>
  close(): Promise<void>
}

export async function startCommandStage(auth: unknown = chatgptAuth()): Promise<CommandStage> {
  const home = await createHome()
  await home.writeAuth(auth)
  const upstream = await startFakeUpstream()
  const env = {
    CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl,
    CODEX_API_PROXY_OPENAI_BASE_URL: upstream.openaiBaseUrl,
    CODEX_API_PROXY_HTTPS_PROXY: 'none',
  }
  return {
    home,
    upstream,
    env,
    async close() {
      await home.remove()
      await upstream.close()
    },
  }
}
