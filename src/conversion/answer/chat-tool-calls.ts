import { asIndex, asString, type JsonObject } from '../../json-object.ts'
import type { CallKind, ToolCall } from '../call-key.ts'
import type { ChatPlan } from '../chat-plan.ts'
import type { ChatDelta } from './chat-chunk.ts'
import type { LiveDelta } from './live-delta.ts'

type Call = {
  readonly outputIndex: number
  /** Position in `tool_calls`: calls are numbered in the order they open (case 129). */
  readonly index: number
  readonly kind: CallKind
  /**
   * Its input is free text, which a client without custom tools gets at the end as the JSON arguments of a function.
   */
  readonly wrapped: boolean
  readonly callId: string
  readonly name: string
  /** The arguments it was announced with, mostly none. They count if the whole arguments never arrive. */
  readonly announced: string
  /** The arguments sent to the client so far, or still to be sent of a wrapped call. */
  sent: string
  closed: boolean
}

const KINDS: ReadonlyMap<unknown, CallKind> = new Map([
  ['function_call', 'function'],
  ['custom_tool_call', 'custom'],
])

/** Whether the item is a call that the client has to answer; upstream runs hosted tools itself. */
export function isClientCall({ type }: JsonObject): boolean {
  return KINDS.has(type)
}

/** Turns function and custom tool calls into `tool_calls`, or into the one `function_call` of the legacy form. */
export class ChatToolCalls {
  readonly #legacy: boolean
  readonly #knowsCustomCalls: boolean
  /** Identified by output index, since the ids of items may change between events (recorded). */
  #calls: Map<number, Call> | undefined
  #callsById: Map<unknown, Call> | undefined
  /** By output index, arguments that arrived before their call was announced. */
  readonly #early: Record<number, string> = {}
  /** The call that the last delta belongs to. */
  #current: Call | undefined

  constructor({ legacyFunctions, knowsCustomCalls }: Pick<ChatPlan, 'legacyFunctions' | 'knowsCustomCalls'>) {
    this.#legacy = legacyFunctions
    this.#knowsCustomCalls = knowsCustomCalls
  }

  get any(): boolean {
    return this.#calls !== undefined
  }

  /** Every call that was opened has all its arguments. */
  get complete(): boolean {
    return this.#all().every((call) => call.closed)
  }

  /** Each call with its output index, as the client was told of it. */
  get told(): readonly (readonly [number, ToolCall])[] {
    return this.#all().map(({ outputIndex, callId, name, sent }) => [outputIndex, { callId, name, text: sent }])
  }

  /** Each call's output index and id. */
  get begun(): readonly (readonly [number, string])[] {
    return this.#all().map(({ outputIndex, callId }) => [outputIndex, callId])
  }

  get live(): LiveDelta | undefined {
    const call = this.#current
    if (call === undefined || call.closed || call.wrapped) return undefined
    const [delta] = this.#part(call, '')
    return delta && { outputIndex: call.outputIndex, partField: undefined, part: 0, delta, kind: 'arguments' }
  }

  /** Arguments of the live call that went to the client without `delta`. */
  copied(text: string): void {
    if (this.#current !== undefined) this.#current.sent += text
  }

  /** Whether the client knows of the call. */
  isOpened(outputIndex: number, item: JsonObject): boolean {
    return this.#opened(outputIndex, item) !== undefined
  }

  open(outputIndex: number, item: JsonObject): ChatDelta[] {
    const told = KINDS.get(item.type)
    const callId = asString(item.call_id)
    const name = asString(item.name)
    if (told === undefined || callId === undefined || name === undefined) return []
    if (this.isOpened(outputIndex, item)) return []

    const wrapped = told === 'custom' && !this.#knowsCustomCalls
    const kind = wrapped ? 'function' : told
    const announced = argumentsOf(item) ?? ''
    this.#calls ??= new Map()
    this.#callsById ??= new Map()
    const index = this.#calls.size
    const call = { outputIndex, index, kind, wrapped, callId, name, announced, sent: '', closed: false }
    this.#calls.set(outputIndex, call)
    this.#callsById.set(callId, call)
    return [...this.#header(call), ...this.#append(call, this.#early[outputIndex] ?? '')]
  }

  delta(event: JsonObject): ChatDelta[] {
    const outputIndex = asIndex(event.output_index)
    const text = asString(event.delta)
    const call = this.#at(outputIndex)
    this.#current = call
    if (outputIndex === undefined || text === undefined) return []
    if (call !== undefined) return call.closed ? [] : this.#append(call, text)
    this.#early[outputIndex] = (this.#early[outputIndex] ?? '') + text
    return []
  }

  argumentsDone(event: JsonObject): ChatDelta[] {
    const call = this.#at(asIndex(event.output_index))
    return call === undefined ? [] : this.#appendRest(call, argumentsOf(event))
  }

  itemDone(outputIndex: number, item: JsonObject): ChatDelta[] {
    const header = this.open(outputIndex, item)
    const call = this.#opened(outputIndex, item)
    if (call === undefined) return header
    // A call cut off with the answer must not look complete: clients may run whatever they can parse.
    const isHalf = item.status === 'incomplete'
    return [...header, ...(isHalf ? this.#appendRest(call, argumentsOf(item)) : this.#close(call, argumentsOf(item)))]
  }

  /** The answer is complete, so calls that are still open are too. */
  end(): ChatDelta[] {
    return this.#all().flatMap((call) => this.#close(call, undefined))
  }

  /** Ids count too, since a stream may report a call at another index: it would end without its arguments, or twice. */
  #opened(outputIndex: number, { call_id }: JsonObject): Call | undefined {
    return this.#at(outputIndex) ?? this.#callsById?.get(call_id)
  }

  #at(outputIndex: number | undefined): Call | undefined {
    return outputIndex === undefined ? undefined : this.#calls?.get(outputIndex)
  }

  /** In the order in which they opened. */
  #all(): Call[] {
    return [...(this.#calls?.values() ?? [])]
  }

  /** A call without arguments gets `{}`, so that clients can parse them (case 136); a custom tool's input is free text. */
  #close(call: Call, all: string | undefined): ChatDelta[] {
    if (call.closed) return []
    const rest = this.#appendRest(call, all || call.announced)
    call.closed = true
    if (call.wrapped) {
      call.sent = JSON.stringify({ input: call.sent })
      return this.#part(call, call.sent)
    }
    const empty = call.sent === '' && call.kind === 'function' ? this.#append(call, '{}') : []
    return [...rest, ...empty]
  }

  /** Appends what the deltas left out of the whole arguments; a whole that contradicts them is ignored (case 131). */
  #appendRest(call: Call, all: string | undefined): ChatDelta[] {
    return all?.startsWith(call.sent) && !call.closed ? this.#append(call, all.slice(call.sent.length)) : []
  }

  #append(call: Call, text: string): ChatDelta[] {
    if (text === '') return []
    call.sent += text
    return call.wrapped ? [] : this.#part(call, text)
  }

  #part(call: Call, text: string): ChatDelta[] {
    const { index } = call
    if (this.#legacy) return index === 0 ? [{ function_call: { arguments: text } }] : []
    const part = call.kind === 'function' ? { function: { arguments: text } } : { custom: { input: text } }
    return [{ tool_calls: [{ index, ...part }] }]
  }

  #header({ index, callId: id, kind: type, name }: Call): ChatDelta[] {
    // The legacy form has room for one call.
    if (this.#legacy) return index === 0 ? [{ function_call: { name, arguments: '' } }] : []
    if (type === 'custom') return [{ tool_calls: [{ index, id, type, custom: { name, input: '' } }] }]
    return [{ tool_calls: [{ index, id, type, function: { name, arguments: '' } }] }]
  }
}

/** The arguments of a function, or the input of a custom tool, in an item or event. */
export function argumentsOf(told: JsonObject): string | undefined {
  return asString(told.arguments) ?? asString(told.input)
}
