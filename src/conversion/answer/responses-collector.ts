import { type ApiError, ProxyError } from '../../errors.ts'
import { asObject, asString, type JsonObject } from '../../json-object.ts'
import { type AnswerHead, eventError, NO_HEAD, unfinishedError } from '../failure/upstream-error.ts'
import { isPrelude, isTerminal } from './event-types.ts'
import { OutputItems } from './output-items.ts'
import { type ChatUsage, chatUsage } from './usage.ts'

/** Turns the events of one answer into the one Response object that a client without streaming gets. */
export class ResponsesCollector {
  readonly #items = new OutputItems()
  #visible = false
  #ended = false
  #response: JsonObject | undefined
  #usage: ChatUsage | undefined
  readonly #head: AnswerHead

  constructor(head = NO_HEAD) {
    this.#head = head
  }

  /** Nothing more is to be read. */
  get ended(): boolean {
    return this.#ended
  }

  /** Something beyond the announcement of an answer has come. */
  get visible(): boolean {
    return this.#visible
  }

  get usage(): ChatUsage | undefined {
    return this.#usage
  }

  /** Throws the ApiError that a failure event stands for. */
  take(event: unknown): void {
    const type = asString(asObject(event)?.type)
    if (type === undefined || this.#ended) return
    if (isTerminal(type)) {
      this.#end(event)
      return
    }
    this.#visible ||= !isPrelude(type)
    this.#items.add(event)
  }

  /** After upstream has ended: the Response object of the terminal event, never an earlier one (case 155). */
  finish(): JsonObject {
    if (this.#response !== undefined) return this.#response
    throw unfinishedError()
  }

  #end(event: unknown): void {
    this.#ended = true
    this.#usage = chatUsage(event)
    const error = endError(event, this.#head)
    if (error !== undefined) throw error
    const response = responseOf(event)
    const status = response?.status === 'incomplete' ? 'incomplete' : 'completed'
    this.#response = response && filled(response, this.#items.list(status))
  }
}

/** Why a terminal event is not a proper end: it reports a failure, or contains no Response. */
export function endError(event: unknown, head: AnswerHead): ApiError | undefined {
  const error = eventError(event, 'responses', head)
  if (error !== undefined || responseOf(event) !== undefined) return error
  return new ProxyError('upstream_invalid', 'Upstream ended the stream without sending the response.')
}

export function responseOf(event: unknown): JsonObject | undefined {
  return asObject(asObject(event)?.response)
}

/** The items of `response.output_item.done` events, in the order of the answer. */
export function completedItems(doneEvents: Iterable<unknown>): readonly JsonObject[] {
  const items = new OutputItems()
  for (const event of doneEvents) items.add(event)
  return items.list('completed')
}

/** A terminal event; if its `output` is incomplete, with the items that came before it. */
export function fillOutput(terminalEvent: unknown, items: readonly JsonObject[]): unknown {
  const event = asObject(terminalEvent)
  const response = responseOf(event)
  if (event === undefined || response === undefined) return terminalEvent
  const whole = filled(response, items)
  return whole === response ? terminalEvent : { ...event, response: whole }
}

/** The ChatGPT backend sends an `output` that is empty, absent or incomplete (docs/upstream.md 5.1). */
function filled(response: JsonObject, items: readonly JsonObject[]): JsonObject {
  const { output } = response
  return Array.isArray(output) && output.length >= items.length ? response : { ...response, output: items }
}
