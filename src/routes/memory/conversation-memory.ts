import type { EarlierConversation } from '../../conversion/request/responses/responses-request.ts'
import { ProxyError } from '../../errors.ts'
import { asList, asString, objectOf } from '../../json-object.ts'
import { unpooledBuffer } from '../../runtime/buffers.ts'
import { keyOf, RecentMemory } from './recent-memory.ts'

const MAX_BYTES = 32 * 1024 * 1024
const MAX_AGE_MS = 24 * 60 * 60 * 1000
/** Roughly what a turn costs besides its texts: without it, tiny turns would count as nothing. */
const TURN_BYTES = 1024

/** A request that was answered: what it added to its conversation, and the answer. */
export type AnsweredTurn = {
  readonly owner: string
  /** The answer that it continues. */
  readonly previousId: string | undefined
  /** The JSON of an object: its `input` is what was added, and it has the `prompt_cache_key`. */
  readonly request: Buffer
}

/** Where a turn is. Ids are upstream's: a repeated one stands for another turn, with another number. */
type Link = { readonly key: string; readonly serial: number }

type Turn = {
  readonly serial: number
  readonly before: Link | undefined
  readonly request: Buffer
  /** The items of the answer, as JSON. Bytes take less memory than objects, and are counted exactly. */
  readonly output: Buffer
}

/**
 * Conversations by the ids of their answers, for requests that continue one with `previous_response_id`: upstream
 * stores none (case 206). A turn keeps only what it added, so that a long conversation does not push out all others;
 * continuing one counts as a use of all its turns.
 */
export class ConversationMemory {
  readonly #turns: RecentMemory<Turn>
  #serial = 0

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number, maxBytes = MAX_BYTES) {
    this.#turns = new RecentMemory(now, maxBytes, MAX_AGE_MS)
  }

  /** A turn is not kept if its conversation has been forgotten meanwhile. */
  remember({ owner, previousId, request }: AnsweredTurn, responseId: string, items: readonly unknown[]): void {
    const before = previousId === undefined ? undefined : this.#linkTo(keyOf(owner, previousId))
    if (previousId !== undefined && before === undefined) return
    const output = unpooledBuffer(JSON.stringify(items))
    this.#keep(keyOf(owner, responseId), { serial: ++this.#serial, before, request, output })
  }

  /**
   * Everything said up to this answer; undefined if some of it is missing. It counts as if it had been sent: throws
   * `request_too_large` if it is larger than `limit`.
   */
  recall(owner: string, responseId: string, limit: number): EarlierConversation | undefined {
    const turns: Turn[] = []
    let link = this.#linkTo(keyOf(owner, responseId))
    if (link === undefined) return undefined
    while (link !== undefined) {
      const turn: Turn | undefined = this.#turns.recall(link.key)
      if (turn?.serial !== link.serial) return undefined
      this.#keep(link.key, turn)
      turns.unshift(turn)
      link = turn.before
    }
    if (turns.reduce((sum, turn) => sum + sizeOf(turn), 0) > limit) {
      throw new ProxyError(
        'request_too_large',
        `The conversation that the body continues is larger than ${limit} bytes.`,
      )
    }
    const said = turns.map(parsed)
    return { items: said.flatMap(({ items }) => items), promptCacheKey: said.at(-1)?.promptCacheKey }
  }

  #keep(key: string, turn: Turn): void {
    this.#turns.keep(key, turn, TURN_BYTES + sizeOf(turn))
  }

  #linkTo(key: string): Link | undefined {
    const serial = this.#turns.recall(key)?.serial
    return serial === undefined ? undefined : { key, serial }
  }
}

function sizeOf({ request, output }: Turn): number {
  return request.length + output.length
}

function parsed({ request, output }: Turn): EarlierConversation {
  const { input, prompt_cache_key } = objectOf(JSON.parse(request.toString('utf8')))
  return {
    items: [...asList(input), ...asList(JSON.parse(output.toString('utf8')))],
    promptCacheKey: asString(prompt_cache_key),
  }
}
