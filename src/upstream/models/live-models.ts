import { blockedError, isHtml } from '../../blocked.ts'
import { type Cancellation, withDeadline } from '../../cancellation.ts'
import { ProxyError } from '../../errors.ts'
import type { UpstreamAnswer } from '../answer.ts'
import type { UpstreamRequest } from '../client.ts'
import { readBody } from '../read-body.ts'
import { type ModelEntry, modelEntries } from './model-entry.ts'

/** Sends with the credentials whose models are asked for; as `UpstreamClient.send` otherwise. */
type Send = (request: UpstreamRequest, cancellation: Cancellation) => Promise<UpstreamAnswer>

export type LiveModels = {
  readonly entries: readonly ModelEntry[]
  readonly etag: string | undefined
}

/** Clients wait for the list, and there is a fallback. */
const TIMEOUT_MS = 10_000
/** Entries hold whole base prompts; the list of today has some 500 KB. */
const MAX_BYTES = 16 * 1024 * 1024

/**
 * `GET /models` of the ChatGPT backend (docs/upstream.md 4.7). Throws a ProxyError that says why there is no list, or
 * the reason of the cancellation.
 */
export async function askForModels(send: Send, clientVersion: string, cancellation: Cancellation): Promise<LiveModels> {
  const message = `Upstream did not send the list of models within ${TIMEOUT_MS / 1000} s.`
  const late = new ProxyError('upstream_timeout', message)
  return await withDeadline(TIMEOUT_MS, late, (deadline) => ask(send, clientVersion, deadline), cancellation)
}

async function ask(send: Send, clientVersion: string, deadline: Cancellation): Promise<LiveModels> {
  const path = `/models?client_version=${encodeURIComponent(clientVersion)}`
  // Upstream has refused the list to logins that got answers (docs/upstream.md 11).
  const request = { method: 'GET', path, headers: { accept: 'application/json' }, tellsOfLogin: false }
  const answer = await send(request, deadline)
  if (answer.status !== 200) throw refusalOf(answer)
  return { entries: parse(await readBody(answer.body, MAX_BYTES)), etag: answer.headers.etag }
}

function refusalOf({ status, headers, body }: UpstreamAnswer): ProxyError {
  body.abort()
  const message = `Upstream answered ${status} when asked for the list of models.`
  if (status === 401) return new ProxyError('upstream_rejected_credentials', message)
  const isPage = status === 403 && isHtml(headers)
  return blockedError(status, headers, isPage) ?? new ProxyError('upstream_error', message)
}

function parse(bytes: Buffer): ModelEntry[] {
  let content: unknown
  try {
    content = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new ProxyError('upstream_invalid', 'Upstream sent a list of models that is not JSON.', { cause })
  }
  const entries = modelEntries(content)
  if (entries !== undefined) return entries
  throw new ProxyError('upstream_invalid', 'Upstream sent something other than a list of models.')
}
