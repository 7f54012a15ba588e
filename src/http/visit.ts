import type { ServerResponse } from 'node:http'
import { Cancellation } from '../cancellation.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'
import type { AnswerHeaders } from './answers.ts'

/** Why the work for a client that left is cancelled. */
class ClientLeft extends Error {
  override readonly name = 'ClientLeft'
}

/** One request from its first hook until its connection is done with it. */
export class Visit {
  readonly record: RequestRecord
  authenticated = false
  /** What the answer to this request carries, whatever it will be. */
  readonly headers: AnswerHeaders
  /** Cancelled when the client leaves before the end of its answer. */
  readonly cancellation = new Cancellation()
  readonly #whenClosed: (() => void)[] = []
  #isClosed = false

  constructor(record: RequestRecord, response: ServerResponse) {
    this.record = record
    // Upstream's id takes the place of the first: that is the one OpenAI knows.
    this.headers = new Map([
      ['x-request-id', record.id],
      ['x-codex-proxy-request-id', record.id],
    ])
    response.once('close', () => this.#closed(response))
  }

  /** At once when it is closed already: a place given to a client in the moment it leaves is given back. */
  onClose(work: () => void): void {
    if (this.#isClosed) work()
    else this.#whenClosed.push(work)
  }

  #closed(response: ServerResponse): void {
    const { record } = this
    this.#isClosed = true
    if (record.status === 0 && response.writableFinished) record.status = response.statusCode
    record.aborted = !response.writableFinished && record.status < 400
    if (!response.writableFinished) {
      this.cancellation.cancel(new ClientLeft('The client left before the end of its answer.'))
    }
    for (const work of this.#whenClosed) work()
  }
}
