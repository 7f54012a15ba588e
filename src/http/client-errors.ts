import { Socket } from 'node:net'
import { errorBody, ProxyError } from '../errors.ts'
import { objectOf } from '../json-object.ts'
import { STATUS_CODES } from '../runtime/node-http.ts'
import type { Logger } from '../telemetry/logger.ts'

/** How long a refused client may still send before its connection is reset, so that it gets to read why. */
const LINGER_MS = 1000

/** The code of a TLS handshake that began with a request. */
const PLAIN_HTTP = 'ERR_SSL_HTTP_REQUEST'

const refusals = new WeakMap<Socket, ProxyError>()

/** The error that was written to this connection here, bypassing the response of its request. */
export function refusalOn(socket: Socket): ProxyError | undefined {
  return refusals.get(socket)
}

/**
 * Node's `clientError`: what arrived is no request, so it is answered on the bare socket, in the same shape as every
 * other error (https://nodejs.org/api/http.html#event-clienterror).
 */
export function answerClientError(error: NodeJS.ErrnoException, on: Socket, logger: Pick<Logger, 'info'>): void {
  const socket = error.code === PLAIN_HTTP ? belowTls(on) : on
  if (endedInRequest(error)) socket.destroy()
  else refuse(socket, explain(error), error.code, logger)
}

/**
 * A CONNECT comes from a client that takes the server for an HTTP proxy (`HTTPS_PROXY`). Node leaves it to whoever listens
 * to `connect`, or else closes the connection without a word (https://nodejs.org/api/http.html#event-connect).
 */
export function refuseTunnel(socket: Socket, logger: Pick<Logger, 'info'>): void {
  // Node has let go of the connection: nothing else reads from it or notices that it breaks.
  socket.on('error', () => {}).resume()
  refuse(socket, new ProxyError('tunnel_unsupported', 'This is an API server, not an HTTP proxy.'), 'CONNECT', logger)
}

function refuse(socket: Socket, answer: ProxyError, reason: string | undefined, logger: Pick<Logger, 'info'>): void {
  // Each further packet of a refused client gets here again, but the first was already answered.
  if (socket.writableEnded) return
  // Nobody is there to answer, or an answer has begun that a second one would corrupt.
  if (!socket.writable || hasBegunAnswer(socket)) {
    socket.destroy()
    return
  }
  logger.info({ status: answer.status, code: answer.code, reason }, 'request refused before it was read')
  refusals.set(socket, answer)
  socket.end(render(answer))
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}

/** TLS has closed its socket when the handshake fails, but not the one that it was made of, which a client without TLS reads. */
function belowTls(socket: Socket): Socket {
  return '_parent' in socket && socket._parent instanceof Socket ? socket._parent : socket
}

/** The client has sent the end of its half of the connection in the middle of a request. */
function endedInRequest({ code }: NodeJS.ErrnoException): boolean {
  return code === 'HPE_INVALID_EOF_STATE'
}

function explain({ code = '' }: NodeJS.ErrnoException): ProxyError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ProxyError('headers_too_large', 'The request headers are too large.')
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new ProxyError('request_too_large', 'The chunk extensions of the body are too large.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return new ProxyError('request_timeout', 'The request took too long to arrive.')
    case PLAIN_HTTP:
      return new ProxyError('invalid_http', 'This port speaks HTTPS: its address begins with https://.')
    default:
      return new ProxyError('invalid_http', 'What arrived is not valid HTTP/1.1.')
  }
}

function render(error: ProxyError): string {
  const body = JSON.stringify(errorBody(error))
  return [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n')
}

/** Only the socket tells which response is under way; Node's own default handler looks at the same property. */
function hasBegunAnswer(socket: Socket): boolean {
  return '_httpMessage' in socket && objectOf(socket._httpMessage).headersSent === true
}
