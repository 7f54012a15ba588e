import { ProxyError } from '../errors.ts'
import { type AnswerBody, cutError } from './answer.ts'
import { bytesOf } from './socket-read.ts'

/** The whole body of an answer that is not a stream. Beyond `limit` bytes it is aborted with an error. */
export function readBody(body: AnswerBody, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let length = 0
    body.pipe({
      data(read) {
        const bytes = bytesOf(read)
        length += bytes.length
        pieces.push(bytes)
        if (length <= limit) return
        body.abort()
        reject(new ProxyError('upstream_invalid', `Upstream sent an answer of more than ${limit} bytes.`))
      },
      end: () => resolve(Buffer.concat(pieces, length)),
      fail: (cause) => reject(cutError(cause, 'Upstream ended its answer early.')),
    })
  })
}
