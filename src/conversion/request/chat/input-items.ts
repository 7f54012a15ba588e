import { asObject, isObject, type JsonObject } from '../../../json-object.ts'
import type { CallKind } from '../../call-key.ts'
import type { ConversionContext } from '../conversion-context.ts'
import type { JsonPlace } from '../json-place.ts'
import { CallHistory } from './call-history.ts'
import { inputParts, joinedText, outputParts, toolOutput } from './content-parts.ts'
import { RecalledReasoning } from './recalled-reasoning.ts'

type ConvertedMessages = {
  readonly instructions: string
  readonly input: JsonObject[]
}

type MessagesContext = {
  /** Names of the custom tools the request declares. */
  readonly customTools: ReadonlySet<string>
  /** JSON mode requires the word "json" in `input`, so system messages stay there (case 95). */
  readonly systemStaysInInput: boolean
  readonly recallReasoning: ConversionContext['recallReasoning']
}

const ROLES = ['system', 'assistant', 'user', 'function', 'tool', 'developer'] as const

export function convertMessages(messages: JsonPlace, context: MessagesContext): ConvertedMessages {
  const places = messages.items()
  if (places.length === 0) {
    const expected = 'Expected an array with minimum length 1, but got an empty array instead.'
    throw messages.fault('empty_array', `Invalid '${messages.path}': empty array. ${expected}`)
  }
  const builder = new InputBuilder(places, context)
  places.forEach((message, index) => {
    builder.add(message, index)
  })
  return builder.finish()
}

class InputBuilder {
  readonly #context: MessagesContext
  readonly #calls = new CallHistory()
  readonly #reasoning: RecalledReasoning
  readonly #onlyOneUser: boolean
  readonly #instructions: string[] = []
  readonly #input: JsonObject[] = []

  constructor(messages: readonly JsonPlace[], context: MessagesContext) {
    this.#context = context
    this.#reasoning = new RecalledReasoning(context.recallReasoning)
    this.#onlyOneUser = messages.filter(({ value }) => asObject(value)?.role === 'user').length === 1
  }

  add(message: JsonPlace, index: number): void {
    message.object()
    const role = message.at('role').word(ROLES)
    if (role === 'system' || role === 'developer') this.#addSystem(message)
    else if (role === 'user') this.#addUser(message)
    else if (role === 'assistant') this.#addAssistant(message, index)
    else if (role === 'tool') this.#addToolResult(message, index)
    else this.#addLegacyResult(message, index)
  }

  finish(): ConvertedMessages {
    this.#calls.end()
    // Upstream requires something to answer, even if there are only instructions (case 32).
    if (this.#input.length === 0) this.#push('user', [{ type: 'input_text', text: '' }])
    return {
      instructions: this.#instructions.join('\n\n'),
      input: this.#input,
    }
  }

  /** Leading ones become `instructions`; the role `system` is never sent, since upstream refuses it (case 26). */
  #addSystem(message: JsonPlace): void {
    const parts = inputParts(message.at('content'))
    if (parts.length === 0) return
    const isLeading = this.#input.length === 0 && !this.#context.systemStaysInInput
    if (isLeading && parts.every(({ type }) => type === 'input_text')) this.#instructions.push(joinedText(parts))
    else this.#push('developer', parts)
  }

  #addUser(message: JsonPlace): void {
    const parts = inputParts(message.at('content'))
    if (parts.length > 0) this.#push('user', parts)
    else if (this.#onlyOneUser) this.#push('user', [{ type: 'input_text', text: '' }])
  }

  #addAssistant(message: JsonPlace, index: number): void {
    const content = message.at('content')
    const refusal = message.at('refusal').optionalString()
    const parts = content.absent ? [] : outputParts(content)
    if (refusal !== undefined && refusal !== '') parts.push({ type: 'refusal', refusal })
    const calls = message.at('tool_calls').optionalItems()
    const legacyCall = message.at('function_call')
    const saysNothing = content.absent && refusal === undefined && calls.length === 0 && legacyCall.absent
    if (saysNothing && !wasStopped(message)) throw content.missing()

    let textPlace = this.#input.length
    if (parts.length > 0) this.#push('assistant', parts)
    for (const call of calls) {
      this.#addCall(call, index, textPlace)
      // Reasoning for a later call came after the first call, so it follows the text: a message may join two answers.
      textPlace = this.#input.length
    }
    if (!legacyCall.absent) this.#addLegacyCall(legacyCall, index)
  }

  #addCall(call: JsonPlace, message: number, textPlace: number): void {
    call.object()
    const id = call.at('id')
    const isCustom = call.at('type').optionalWord(['function', 'custom']) === 'custom'
    const body = call.at(isCustom ? 'custom' : 'function')
    body.object()
    const name = requiredName(body)
    const kind: CallKind = isCustom || this.#context.customTools.has(name) ? 'custom' : 'function'
    const text = isCustom ? body.at('input').string() : argumentsText(body.at('arguments'), kind)

    const call_id = this.#calls.call(id, kind, message)
    const { beforeText, beforeCall } = this.#reasoning.of({ callId: id.string(), name, text })
    this.#input.splice(textPlace, 0, ...beforeText)
    this.#input.push(...beforeCall)
    if (kind === 'custom') this.#input.push({ type: 'custom_tool_call', call_id, name, input: text })
    else this.#input.push(functionCall(call_id, name, text))
  }

  #addLegacyCall(call: JsonPlace, message: number): void {
    call.object()
    const name = requiredName(call)
    const text = argumentsText(call.at('arguments'), 'function')
    this.#input.push(functionCall(this.#calls.legacyCall(name, message), name, text))
  }

  #addToolResult(message: JsonPlace, index: number): void {
    const { callId, kind } = this.#calls.result(resultId(message), index)
    const output = toolOutput(message.at('content'))
    const type = kind === 'custom' ? 'custom_tool_call_output' : 'function_call_output'
    this.#input.push({ type, call_id: callId, output })
  }

  #addLegacyResult(message: JsonPlace, index: number): void {
    const call_id = this.#calls.legacyResult(requiredName(message), index)
    this.#input.push({ type: 'function_call_output', call_id, output: toolOutput(message.at('content')) })
  }

  /** Only these keys: upstream refuses any unknown one (case 33). */
  #push(role: 'user' | 'developer' | 'assistant', content: JsonObject[]): void {
    this.#input.push({ type: 'message', role, content })
  }
}

function functionCall(call_id: string, name: string, text: string): JsonObject {
  return { type: 'function_call', call_id, name, arguments: text }
}

/** Some clients write `toolCallId` or, as Responses has it, `call_id` (case 83). */
function resultId(message: JsonPlace): JsonPlace {
  const names = ['tool_call_id', 'toolCallId', 'call_id'] as const
  const [first] = names.map((name) => message.at(name)).filter(({ absent }) => !absent)
  return first ?? message.at('tool_call_id')
}

function requiredName(place: JsonPlace): string {
  const name = place.at('name')
  if (name.string() === '') throw name.fault('invalid_value', `Invalid '${name.path}': empty string.`)
  return name.string()
}

/**
 * An answer that was stopped while the model was thinking. Clients keep it, with null content or only the reasoning,
 * and send it with each later turn: the API refuses that, and the conversation is over (reported). It says no more than
 * an empty text.
 */
function wasStopped(message: JsonPlace): boolean {
  return message.at('content').value === null || message.hasAny(['reasoning_content', 'reasoning', 'reasoning_details'])
}

/**
 * Upstream requires text; some clients keep the parsed object, or nothing (case 84). Custom tools accept empty input.
 */
function argumentsText(place: JsonPlace, kind: CallKind): string {
  if (place.absent || place.value === '') return kind === 'function' ? '{}' : ''
  return isObject(place.value) ? JSON.stringify(place.value) : place.string()
}
