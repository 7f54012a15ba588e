import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { claimsOf } from '../../src/credentials/access-token.ts'
import { type Auth, post } from '../support/login-stage.ts'

type Settings = {
  readonly authPath: string
  readonly tokenUrl: string
  readonly now: () => number
  /** Called at each generation that it wrote. */
  readonly wrote: () => void
  readonly stopped: () => boolean
}

/**
 * Keeps the login fresh as the Codex CLI does (docs/upstream.md 1.6, 2.3): without our lock, it refreshes when five
 * minutes are left, and replaces the file by a rename unless it has changed since.
 */
export async function refreshLikeCodex({ authPath, tokenUrl, now, wrote, stopped }: Settings): Promise<void> {
  const read = (): Auth => JSON.parse(readFileSync(authPath, 'utf8'))
  while (!stopped()) {
    await delay(Math.random() * 40)
    const auth = read()
    if (Number(claimsOf(auth.tokens.access_token ?? '').exp) * 1000 - 300_000 > now()) continue
    const refreshToken = auth.tokens.refresh_token
    const answer = await post(tokenUrl, {
      client_id: 'codex',
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
    })
    const current = read()
    if (answer.status !== 200 || current.tokens.refresh_token !== refreshToken) continue
    const { id_token, access_token, refresh_token } = JSON.parse(answer.body)
    const tokens = { ...current.tokens, id_token, access_token, refresh_token }
    const content = { ...current, tokens, last_refresh: new Date(now()).toISOString() }
    writeFileSync(`${authPath}.codex`, JSON.stringify(content, null, 2), { mode: 0o600 })
    renameSync(`${authPath}.codex`, authPath)
    wrote()
  }
}
