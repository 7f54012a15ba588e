import { request as httpsRequest, type RequestOptions } from 'node:https'
import { bindAddress } from '../config/endpoint.ts'
import type { ErrorCode } from '../error-table.ts'
import { withoutControls } from '../foreign-text.ts'
import { asString, type JsonObject, objectOf, parseObject } from '../json-object.ts'
import { request as httpRequest } from '../runtime/node-http.ts'
import { checksCertificate, reachableUrl } from './server-address.ts'

/** A server to ask, and the key to ask it with. */
export type AskedServer = { readonly url: string; readonly clientKey?: string | undefined }

export type ServerAnswer = {
  readonly status: number
  readonly body: JsonObject
  /** What it says of a failure, in the form that all errors of the API have. */
  readonly error: { readonly code: string | undefined; readonly message: string } | undefined
}

/** Far more than our longest answer, a list of models. Another user's program may have taken the port and never end. */
const MOST_BYTES = 16 * 1024 * 1024

type Question = {
  /** Milliseconds. */
  readonly limit: number
  /** Sent as JSON, by POST. */
  readonly body?: object
}

/** Asks a running proxy. `undefined` when nothing there answers with a JSON object. */
export async function askServer(
  server: AskedServer,
  path: string,
  { limit, body }: Question,
): Promise<ServerAnswer | undefined> {
  const url = new URL(path, reachableUrl(server.url))
  url.hostname = bindAddress(url.hostname)
  const headers = {
    accept: 'application/json',
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(server.clientKey !== undefined && { authorization: `Bearer ${server.clientKey}` }),
  }
  const options = {
    method: body === undefined ? 'GET' : 'POST',
    headers,
    agent: false,
    rejectUnauthorized: checksCertificate(server.url),
    signal: AbortSignal.timeout(limit),
  } as const
  return await ask(url, options, body === undefined ? undefined : JSON.stringify(body))
}

function ask(url: URL, options: RequestOptions, sent: string | undefined): Promise<ServerAnswer | undefined> {
  return new Promise((resolve) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response) => {
      const pieces: Buffer[] = []
      let length = 0
      response.on('data', (bytes: Buffer) => {
        pieces.push(bytes)
        length += bytes.length
        if (length > MOST_BYTES) request.destroy()
      })
      response.once('error', () => resolve(undefined))
      response.once('end', () => {
        const body = parseObject(Buffer.concat(pieces).toString('utf8'), plain)
        resolve(body && { status: response.statusCode ?? 0, body, error: errorIn(body) })
      })
    })
    request.once('error', () => resolve(undefined))
    request.end(sent)
  })
}

/** Whether the server refused the client key, or the lack of one. */
export function isKeyRefused(answer: ServerAnswer | undefined): boolean {
  return answer?.error?.code === ('client_key_invalid' satisfies ErrorCode)
}

function errorIn({ error }: JsonObject): ServerAnswer['error'] {
  const { code, message } = objectOf(error)
  return typeof message === 'string' ? { code: asString(code), message } : undefined
}

export const KEY_WANTED = 'The server lists its models only for callers with its client key.'
export const HOW_TO_GIVE_KEY = 'Give that key with --api-key-file or CODEX_PROXY_API_KEY.'

/** Answers are shown in the terminal, and another user's program may have taken the port. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? withoutControls(value) : value
}
