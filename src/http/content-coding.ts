import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { ApiError, ProxyError } from '../errors.ts'
import { isCode } from '../system/error-code.ts'
import { decodeZstd, TooLong } from './zstd.ts'

type Limits = { readonly maxOutputLength: number }
type Decoder = (body: Buffer, limits: Limits) => Promise<Buffer>

const ofZlib = promisify<Buffer, Limits, Buffer>

const DECODERS: Readonly<Record<string, Decoder>> = {
  zstd: (body, { maxOutputLength }) => decodeZstd(body, maxOutputLength),
  gzip: ofZlib(gunzip),
  // The older name of gzip (RFC 9110 §8.4.1.3).
  'x-gzip': ofZlib(gunzip),
  deflate: ofZlib(inflate),
  br: ofZlib(brotliDecompress),
}

/** More than one is allowed but never seen, and each multiplies what a small body can expand to. */
const MOST_CODINGS = 3

/** The codings of a body in the order they were applied. Throws `unsupported_content_encoding`. */
export function contentCodings(header: string | undefined): Decoder[] {
  if (header === undefined) return []
  const names = header.split(',').map((name) => name.trim().toLowerCase())
  const applied = names.filter((name) => name !== '' && name !== 'identity')
  if (applied.length > MOST_CODINGS) throw unsupported(`The body has ${applied.length} content encodings.`)
  return applied.map((name) => {
    const decoder = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined
    if (decoder !== undefined) return decoder
    throw unsupported('The content encoding of the body is unknown.')
  })
}

/** Stops as soon as more than `limit` bytes come out of any coding. */
export async function decode(body: Buffer, codings: readonly Decoder[], limit: number): Promise<Buffer> {
  let decoded = body
  for (const decoder of codings.toReversed()) {
    try {
      decoded = await decoder(decoded, { maxOutputLength: limit })
    } catch (cause) {
      // If a decoder can't be loaded, that is not the body's fault.
      if (cause instanceof ApiError) throw cause
      if (cause instanceof TooLong || isCode(cause, 'ERR_BUFFER_TOO_LARGE')) {
        throw new ProxyError('request_too_large', `The decoded body is larger than ${limit} bytes.`)
      }
      throw new ProxyError('invalid_body', 'The body does not match its content encoding.', { cause })
    }
  }
  return decoded
}

function unsupported(message: string): ProxyError {
  // RFC 9110 §12.5.3: this header in a 415 answer names the codings that would do.
  const headers = { 'accept-encoding': 'zstd, gzip, deflate, br' }
  return new ProxyError('unsupported_content_encoding', message, { headers })
}
