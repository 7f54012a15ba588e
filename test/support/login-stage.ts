import * as nodeFs from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { Files } from '../../src/credentials/auth-file.ts'
import { createCredentialSource } from '../../src/credentials/credential-source.ts'
import type { CredentialMode, CredentialSource, Credentials } from '../../src/credentials/credentials.ts'
import type { PostToken } from '../../src/credentials/refresh.ts'
import type { ProxyError } from '../../src/errors.ts'
import {
  type IssuedAuth,
  startTokenIssuer,
  type TokenIssuer,
  type TokenIssuerOptions,
} from '../fake-upstream/token-issuer.ts'

export type SourceSettings = {
  readonly mode?: CredentialMode
  readonly files?: Files
  readonly postToken?: PostToken
  readonly now?: () => number
  readonly clientId?: string
  readonly healingMs?: number
}

/** A Codex folder, a token issuer, and credential sources between them. */
export type LoginStage = {
  readonly codexHome: string
  readonly authPath: string
  readonly issuer: TokenIssuer
  /** What the sources warned of, as text, errors with their causes and stacks. */
  readonly warnings: string[]
  source(settings?: SourceSettings): CredentialSource
  /** The content of an auth.json whose access token lives that long, in milliseconds. */
  login(lifetimeMs: number): IssuedAuth
  /** How often the issuer was asked. */
  refreshes(): number
  /** Objects are written as Codex does: two spaces, no line break at the end. */
  writeAuth(content: unknown): Promise<void>
  readAuth(): Promise<Auth>
  /** The error that this ends with. */
  errorOf(work: unknown): Promise<ProxyError>
  /** What a person or a client could get to see: errors are among it already. */
  show(seen: unknown): void
  /** Fails when a token that the issuer ever gave out is in one of the texts, in a warning, or in what was shown. */
  close(...texts: unknown[]): Promise<void>
}

export type Auth = { tokens: Record<string, string>; last_refresh?: string; [key: string]: unknown }

export async function startLoginStage(options: TokenIssuerOptions = {}): Promise<LoginStage> {
  const codexHome = await mkdtemp(join(tmpdir(), 'codex-api-proxy-login-'))
  const authPath = join(codexHome, 'auth.json')
  const issuer = await startTokenIssuer(options)
  const warnings: string[] = []
  const shown: unknown[] = []
  const opened: CredentialSource[] = []
  return {
    codexHome,
    authPath,
    issuer,
    warnings,
    source({ mode = 'read-write', files = nodeFs, postToken = post, now = Date.now, clientId, healingMs = 500 } = {}) {
      const source = createCredentialSource({
        codexHome,
        mode,
        postToken,
        overrides: { refreshUrl: issuer.url, clientId },
        now,
        warn: (fields, message) => warnings.push(`${message} ${inspect(fields, { depth: 9 })}`),
        files,
        healingMs,
      })
      opened.push(source)
      return source
    },
    login: (lifetimeMs) => issuer.login({ lifetimeMs }),
    refreshes: () => issuer.requests.length,
    async writeAuth(content) {
      await writeFile(authPath, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
    },
    async readAuth() {
      return JSON.parse(await readFile(authPath, 'utf8'))
    },
    async errorOf(work) {
      const error = await Promise.resolve(work).then(
        () => new Error('nothing went wrong'),
        (reason: ProxyError) => reason,
      )
      shown.push(error)
      return error as ProxyError
    },
    show: (seen) => shown.push(seen),
    async close(...texts) {
      for (const source of opened) await source.close()
      await issuer.close()
      await rm(codexHome, { recursive: true, force: true })
      const leaked = issuer
        .secrets()
        .find((secret) => [...warnings, ...[...shown, ...texts].map(inspectAll)].join().includes(secret))
      if (leaked !== undefined) throw new Error(`A token was shown: ${leaked.slice(0, 12)}…`)
    },
  }
}

/** As the proxy posts, without its outbound proxy. */
export async function post(url: string, body: object): Promise<{ status: number; body: string }> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, body: await response.text() }
}

/** The access token of ChatGPT credentials; fails for an API key. */
export function tokenOf(credentials: Credentials): string {
  if (credentials.kind !== 'chatgpt') throw new Error('These are credentials of another kind.')
  return credentials.accessToken
}

function inspectAll(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 9 })
}
