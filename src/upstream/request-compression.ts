import type { Transform } from 'node:stream'
import type { Config } from '../config/options.ts'
import { UPSTREAM_OPTIONS } from '../config/upstream-options.ts'
import { totalLength, unpooledCopy } from '../runtime/buffers.ts'
import type { UpstreamAnswer } from './answer.ts'
import type { UpstreamClient, UpstreamRequest } from './client.ts'

/** Shorter bodies are sent uncompressed: TCP sends ten packets before it waits for an acknowledgement (RFC 6928). */
const WORTH_COMPRESSING = 16 * 1024

/** How long nothing is compressed after a refusal. */
const PLAIN_MS = 60 * 60 * 1000

/** Whether to compress bodies for this upstream: a gateway may not accept what the ChatGPT backend does. */
export function compressesRequests({
  compressRequests: mode,
  chatgptBaseUrl,
}: Pick<Config, 'compressRequests' | 'chatgptBaseUrl'>): boolean {
  return mode === 'always' || (mode === 'auto' && chatgptBaseUrl === UPSTREAM_OPTIONS.chatgptBaseUrl.default)
}

/**
 * Sends long bodies compressed, as Codex does (docs/upstream.md 4.2): a conversation of half a megabyte is uploaded
 * again with each turn, which on most lines takes longer than anything else here. Until a compressed body has been
 * accepted once, a refused one is sent again uncompressed; if that is accepted, none is compressed for an hour: it may
 * have been a coincidence. `now` in milliseconds.
 */
export function withCompression(
  client: UpstreamClient,
  warn: (message: string) => void,
  now: () => number,
): UpstreamClient {
  let wasAccepted = false
  let plainUntil = Number.NEGATIVE_INFINITY

  async function sendCompressed(...[request, credentials, cancellation]: Parameters<UpstreamClient['send']>) {
    const answer = await client.send(await compressed(request), credentials, cancellation)
    wasAccepted ||= isAccepted(answer)
    if (!mayBeForCoding(answer, wasAccepted)) return answer
    answer.body.abort()
    request.onRetry?.()
    const plain = await client.send(request, credentials, cancellation)
    // Other requests may have found out meanwhile.
    if (isAccepted(plain) && now() >= plainUntil && mayBeForCoding(answer, wasAccepted)) {
      plainUntil = now() + PLAIN_MS
      warn('Upstream accepted a request only uncompressed: for an hour none is compressed.')
    }
    return plain
  }

  return {
    send: (request, credentials, cancellation) =>
      now() >= plainUntil && isWorthCompressing(request)
        ? sendCompressed(request, credentials, cancellation)
        : client.send(request, credentials, cancellation),
  }
}

function isWorthCompressing({ compress, body = [] }: UpstreamRequest): boolean {
  return compress === true && totalLength(body) >= WORTH_COMPRESSING
}

function isAccepted({ status }: UpstreamAnswer): boolean {
  return status < 400
}

/**
 * 415 is about the coding (RFC 9110 §15.5.16). A server that doesn't expect one may also take the body for broken JSON,
 * or crash, but only as long as none `wasAccepted`.
 */
function mayBeForCoding({ status }: UpstreamAnswer, wasAccepted: boolean): boolean {
  return status === 415 || (!wasAccepted && status <= 501 && status !== 401 && status !== 429)
}

/** The same request with its body compressed; off the main thread. */
async function compressed(request: UpstreamRequest): Promise<UpstreamRequest> {
  const { headers, body = [], memory, ...others } = request
  // What is being read must not be freed, even if the client disconnects meanwhile.
  memory?.retain()
  const { coding, encoder } = await newEncoder(totalLength(body))
  for (const piece of body) encoder.write(piece)
  const bytes = unpooledCopy(await encoder.end().toArray())
  memory?.release()
  return { ...others, headers: { ...headers, 'content-encoding': coding }, body: [bytes] }
}

type Encoding = { readonly coding: string; readonly encoder: Transform }

/** Since 22.15; not in the types of the oldest Node that is supported. */
type NewerZlib = { readonly createZstdCompress?: (options: { pledgedSrcSize: number }) => Transform }

/** zstd as in Codex, if this Node has it; else gzip, which upstream accepts too (reported). */
async function newEncoder(length: number): Promise<Encoding> {
  const zlib = await import('node:zlib')
  const { createZstdCompress } = zlib as NewerZlib
  return createZstdCompress === undefined
    ? { coding: 'gzip', encoder: zlib.createGzip({ level: zlib.constants.Z_BEST_SPEED }) }
    : { coding: 'zstd', encoder: createZstdCompress({ pledgedSrcSize: length }) }
}
