import type { Answer } from './answer.ts'
import { type Item, responseEvents } from './event-stream.ts'
import type { RecordedRequest } from './recorded-request.ts'
import { isJson, type Json } from './refusal.ts'

const CALLS_AT_ONCE = 3

/**
 * What the ChatGPT side answers when no other answer was given, made to fit the request: tools are called, tool
 * results are summed up, a schema is filled in, anything else gets a line of text.
 */
export function defaultAnswer({ json }: RecordedRequest): Answer {
  const body = isJson(json) ? json : {}
  const summary = isJson(body.reasoning) && typeof body.reasoning.summary === 'string'
  const thought = summary ? ['**Reading the request**\n\nThe fake upstream has no model behind it.'] : []
  const items: Item[] = [{ reasoning: thought }, ...answerItems(body)]
  return { events: responseEvents(items, { model: String(body.model), responseId: responseId(body) }) }
}

function answerItems(body: Json): Item[] {
  const input = Array.isArray(body.input) ? body.input.filter(isJson) : []
  if (input.at(-1)?.type === 'compaction_trigger') return [{ raw: compaction(input.length) }]
  const results = resultsAtEnd(input)
  if (results.length > 0) return [{ text: `The tools answered: ${results.join('; ')}.` }]
  const calls = callsFor(body)
  if (calls.length > 0) return calls
  const format = isJson(body.text) && isJson(body.text.format) ? body.text.format : {}
  if (isJson(format.schema)) return [{ text: JSON.stringify(sample(format.schema, 0)) }]
  if (format.type === 'json_object') return [{ text: '{"answer":"simulated"}' }]
  return [{ text: 'This is a simulated answer, streamed word by word.' }]
}

/** What stands for the conversation from then on; only upstream can read it. */
function compaction(items: number): { type: string } & Json {
  return { id: `cmp_fake${items}`, type: 'compaction', encrypted_content: `compacted-${items}` }
}

/** Outputs of the tool results the conversation ends with: a turn that needs no further call. */
function resultsAtEnd(input: readonly Json[]): string[] {
  const last = input.findLastIndex(({ type }) => type !== 'function_call_output')
  return input.slice(last + 1).map(({ output }) => (typeof output === 'string' ? output : JSON.stringify(output)))
}

/** Parallel calls, in turn of the tools there are; only the forced one, or none, where the request says so. */
function callsFor(body: Json): Item[] {
  const choice = body.tool_choice
  const forced = isJson(choice) ? choice.name : undefined
  const tools = (Array.isArray(body.tools) ? body.tools : [])
    .filter(isJson)
    .filter(({ type, name }) => type === 'function' && (forced === undefined || name === forced))
  if (choice === 'none' || tools.length === 0) return []
  const count = forced !== undefined || body.parallel_tool_calls === false ? 1 : CALLS_AT_ONCE
  return Array.from({ length: count }, (_, index) => {
    const tool = tools[index % tools.length] ?? {}
    return { call: String(tool.name), arguments: sample(tool.parameters, index) as object }
  })
}

/** A value that fits a JSON schema; `index` picks among the values of an enum, so that calls differ. */
function sample(schema: unknown, index: number): unknown {
  if (!isJson(schema)) return {}
  const { enum: values, type, properties, items } = schema
  if (Array.isArray(values) && values.length > 0) return values[index % values.length]
  switch (Array.isArray(type) ? type[0] : type) {
    case 'string':
      return 'simulated'
    case 'integer':
    case 'number':
      return index + 1
    case 'boolean':
      return true
    case 'array':
      return [sample(items, index)]
    case 'null':
      return null
    default:
      return Object.fromEntries(
        Object.entries(isJson(properties) ? properties : {}).map(([name, of]) => [name, sample(of, index)]),
      )
  }
}

/** Different for each turn of a conversation, the same for the same turn. */
function responseId(body: Json): string {
  const turns = Array.isArray(body.input) ? body.input.length : 0
  return `resp_fake${String(turns).padStart(4, '0')}`
}
