import { randomBytes } from 'node:crypto'
import type { Config } from '../../../config/options.ts'
import { endOnSignals } from '../../../daemon/signals.ts'
import { ERRORS } from '../../../error-table.ts'
import { serve } from '../../../http/serve.ts'
import {
  type AskedServer,
  askServer,
  HOW_TO_GIVE_KEY,
  isKeyRefused,
  KEY_WANTED,
  type ServerAnswer,
} from '../../ask-server.ts'
import type { Health } from '../../health.ts'
import { loginText, SILENT_REMEDY } from '../../health-report.ts'
import { MODELS_PATH, type Model, modelsIn, usualModels } from '../../models.ts'
import { fromNow } from '../../shown.ts'
import { type Check, ok, problem, skipped } from './check.ts'

/** A server to ask, and how to end it. */
export type Asked = AskedServer & {
  /** Where to find more about a failure that does not say what to do. */
  readonly whereToLook: string
  end(): Promise<void>
}

const MODELS_LIMIT_MS = 30_000
const CALL_LIMIT_MS = 120_000
const MODELS_SHOWN = 3

/**
 * Starts a private server with these settings: on loopback, on a free port, with a random key. A signal ends the
 * program; `interrupted` is called first, since the end may have to wait for a token refresh.
 */
export async function startPrivately(config: Config, interrupted: () => void): Promise<Asked> {
  const clientKey = randomBytes(24).toString('base64url')
  const own = {
    host: '127.0.0.1',
    port: 0,
    apiKey: clientKey,
    apiKeyFile: undefined,
    tlsCert: undefined,
    tlsKey: undefined,
  }
  const server = await serve({ ...config, ...own, logLevel: 'error' }, { write: () => {} })
  const release = endOnSignals(process, () => {
    interrupted()
    return server.close()
  })
  return {
    url: server.url,
    clientKey,
    // This server keeps no log.
    whereToLook: 'Try again; if it keeps failing, run `codex-api-proxy start` and look into `codex-api-proxy logs`.',
    async end() {
      await server.close()
      release()
    },
  }
}

/** What `/health` says of the login; without the client key that is only whether requests would fail. */
export function checkLogin(health: Health | undefined, { credentials }: Config): Check[] {
  const unseen = skipped('Token', 'Not checked: the login is not known.')
  if (health === undefined) return [problem('Login', 'The server did not answer.', SILENT_REMEDY), unseen]
  if (health.login === undefined) return [checkUnseenLogin(health), unseen]
  const { problem: found, warning, file, expiresAt } = health.login
  if (found !== undefined) {
    return [problem('Login', found.message, found.remedy ?? SILENT_REMEDY), skipped('Token', 'No usable login.')]
  }
  const login = ok('Login', `${loginText(health)}, from ${file}.`)
  if (warning !== undefined) {
    return [login, problem('Token', warning.message, `Requests still work. ${warning.remedy ?? 'Check again later.'}`)]
  }
  if (expiresAt === undefined) return [login, skipped('Token', 'It has no readable expiry.')]
  return [login, ok('Token', expiryText(expiresAt, credentials))]
}

/** An expired token that can't be refreshed never gets here: `/health` reports it as a problem of the login. */
function expiryText(expiresAt: number, mode: Config['credentials']): string {
  const now = Date.now()
  const when = fromNow(expiresAt, now)
  if (expiresAt < now) return `Expired ${when}; the next request refreshes it.`
  return mode === 'read-only'
    ? `Expires ${when}; refreshing it is left to Codex.`
    : `Expires ${when}; it is refreshed before that.`
}

function checkUnseenLogin({ status }: Health): Check {
  if (status === 'ok') return skipped('Login', 'The client key is needed to see the login.')
  if (status !== 'error') return problem('Login', 'The server did not say whether there is one.', SILENT_REMEDY)
  const remedy = 'Give the client key with --api-key-file or CODEX_PROXY_API_KEY to see why.'
  return problem('Login', 'Requests fail now; the client key is needed to see the login.', remedy)
}

export async function checkModels(asked: Asked): Promise<{ check: Check; models: Model[] }> {
  const answer = await askServer(asked, MODELS_PATH, { limit: MODELS_LIMIT_MS })
  if (isKeyRefused(answer)) return { check: problem('Models', KEY_WANTED, HOW_TO_GIVE_KEY), models: [] }
  const models = modelsIn(answer?.body)
  if (models.length === 0) return { check: failed('Models', answer, asked), models }
  const more = models.length > MODELS_SHOWN ? ' …' : ''
  const shown = models.slice(0, MODELS_SHOWN).map(({ id }) => id)
  return { check: ok('Models', `${models.length}: ${shown.join(', ')}${more}`), models }
}

/** One short request all the way through, to the given model or the default one. */
export async function checkCall(asked: Asked, models: readonly Model[], named: unknown): Promise<Check> {
  if (models.length === 0) return skipped('Call', 'There is no model to call.')
  const model = typeof named === 'string' ? named : usualModels(models)[0]?.id
  if (model === undefined)
    return problem('Call', 'No model of the list is a usual one.', 'Name the one to call with --model.')
  const startedAt = performance.now()
  const body = { model, messages: [{ role: 'user', content: 'Reply with exactly: pong' }] }
  const answer = await askServer(asked, '/v1/chat/completions', { limit: CALL_LIMIT_MS, body })
  if (answer?.status !== 200) return failed('Call', answer, asked)
  return ok('Call', `${model} answered within ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`)
}

/** Error bodies of the proxy hold message and remedy in one text; those of upstream have no remedy. */
function failed(name: string, answer: ServerAnswer | undefined, { whereToLook }: Asked): Check {
  if (answer === undefined) return problem(name, 'The server did not answer.', whereToLook)
  if (answer.error === undefined) return problem(name, 'There are none.', whereToLook)
  const { message: text } = answer.error
  const remedy = Object.values(ERRORS).find((row) => text.endsWith(` ${row.remedy}`))?.remedy
  if (remedy !== undefined) return problem(name, text.slice(0, -remedy.length - 1), remedy)
  return problem(name, text, answer.status === 401 ? ERRORS.upstream_rejected_credentials.remedy : whereToLook)
}
