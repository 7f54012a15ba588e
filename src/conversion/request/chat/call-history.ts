import { ApiError } from '../../../errors.ts'
import { shorten } from '../../../foreign-text.ts'
import { addToList } from '../../../list-map.ts'
import type { CallKind } from '../../call-key.ts'
import type { JsonPlace } from '../json-place.ts'
import { upstreamCallId } from '../upstream-ids.ts'

type OpenCall = {
  readonly message: number
  /** Set for a call of the legacy form, whose results name the function instead of an id. */
  readonly legacyName?: string
}

/**
 * Tracks which calls of a history still lack their results. Calls and results are paired by id: other messages may come
 * between them (case 80), and an answered id may be reused (case 78). Errors are worded as at api.openai.com.
 */
export class CallHistory {
  readonly #kinds = new Map<string, CallKind>()
  /** By the client's id of the call. */
  readonly #open = new Map<string, OpenCall>()
  /** Ids of unanswered legacy calls by the name of their function, oldest first. */
  readonly #legacyOpen = new Map<string, string[]>()
  #legacyCalls = 0

  /** Records a call in message number `message` and returns the id to send upstream. */
  call(id: JsonPlace, kind: CallKind, message: number): string {
    const callId = id.string()
    const open = this.#open.get(callId)
    if (open?.message === message) {
      throw id.fault('invalid_value', `Invalid '${id.path}': the id '${shorten(callId)}' is used twice in one message.`)
    }
    if (open !== undefined) throw this.#unanswered()
    this.#kinds.set(callId, kind)
    this.#open.set(callId, { message })
    return upstreamCallId(callId)
  }

  /** A legacy call has no id: it gets one that stays the same as long as the history does (case 42). */
  legacyCall(name: string, message: number): string {
    const callId = `call_legacy_${this.#legacyCalls++}`
    this.#kinds.set(callId, 'function')
    this.#open.set(callId, { message, legacyName: name })
    addToList(this.#legacyOpen, name, callId)
    return callId
  }

  /** Records the result of a call and returns the kind of the call. */
  result(id: JsonPlace, message: number): { callId: string; kind: CallKind } {
    const callId = id.string()
    const kind = this.#kinds.get(callId)
    if (kind === undefined) throw orphan(message, 'tool', 'tool_calls')
    this.#open.delete(callId)
    return { callId: upstreamCallId(callId), kind }
  }

  /** The result of the latest legacy call of that function (case 41). */
  legacyResult(name: string, message: number): string {
    const callId = this.#legacyOpen.get(name)?.pop()
    if (callId === undefined) throw orphan(message, 'function', 'function_call')
    this.#open.delete(callId)
    return callId
  }

  /** Throws if a call was left without its result. */
  end(): void {
    if (this.#open.size > 0) throw this.#unanswered()
  }

  #unanswered(): ApiError {
    const [first] = this.#open.values()
    const message = first?.message ?? 0
    if (first?.legacyName !== undefined) {
      return historyError(
        `An assistant message with 'function_call' must be followed by a function message responding to it. The function '${shorten(first.legacyName)}' did not have a response message.`,
        message,
      )
    }
    const ids = [...this.#open].filter(([, call]) => call.message === message).map(([id]) => shorten(id))
    return historyError(
      `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids.join(', ')}`,
      message,
    )
  }
}

function orphan(message: number, role: string, calls: string): ApiError {
  return historyError(
    `Invalid parameter: messages with role '${role}' must be a response to a preceeding message with '${calls}'.`,
    message,
  )
}

/** The API writes these paths with a dot before the index, and gives no code. */
function historyError(message: string, index: number): ApiError {
  return new ApiError(message, {
    status: 400,
    type: 'invalid_request_error',
    param: `messages.[${index}].role`,
    code: null,
  })
}
