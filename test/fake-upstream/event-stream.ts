/** One event of a Responses stream; `type` decides what else is in it. */
export type StreamEvent = { readonly type: string; readonly [key: string]: unknown }

/** One item of an answer, in the short form tests are written in. */
export type Item =
  | { readonly text: string; readonly phase?: 'commentary' | 'final_answer' }
  /** Parts of a reasoning summary; none makes a reasoning item without summary. */
  | { readonly reasoning: readonly string[] }
  | { readonly call: string; readonly arguments: string | object; readonly callId?: string }
  /** Any other item (`web_search_call` …): opened and closed as it is. */
  | { readonly raw: { readonly type: string; readonly [key: string]: unknown } }

export type StreamOptions = {
  readonly model?: string
  readonly responseId?: string
  /** How the stream ends; `none` stops without a terminal event. */
  readonly end?: 'completed' | 'failed' | 'none'
  /** For `failed`. */
  readonly error?: { readonly code: string; readonly message: string }
  /** The ChatGPT backend leaves `output` of the last event empty, or lists a part (docs/upstream.md 5.1); the API all. */
  readonly output?: 'empty' | 'first' | 'full'
}

const LISTED = { empty: 0, first: 1, full: undefined }

const USAGE = {
  input_tokens: 42,
  input_tokens_details: { cached_tokens: 16 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 54,
}

/** All events of an answer: created, each item with its deltas, and the terminal event. */
export function responseEvents(items: readonly Item[], options: StreamOptions = {}): StreamEvent[] {
  const { model = 'gpt-5.5', responseId = 'resp_fake0001', end = 'completed' } = options
  const response = {
    id: responseId,
    object: 'response',
    created_at: 1_795_000_000,
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    model,
    output: [],
    parallel_tool_calls: true,
    service_tier: 'auto',
    store: false,
    tool_choice: 'auto',
    tools: [],
    usage: null,
    metadata: {},
  }
  const streamed = items.map((item, index) => itemEvents(item, index, responseId))
  const output = streamed.map(({ done }) => done).slice(0, LISTED[options.output ?? 'empty'])
  const last = { ...response, status: end, service_tier: 'default', usage: USAGE, output }
  const events: StreamEvent[] = [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    ...streamed.flatMap(({ events }) => events),
  ]
  if (end === 'completed') events.push({ type: 'response.completed', response: last })
  if (end === 'failed') {
    const error = options.error ?? { code: 'server_error', message: 'The model failed to answer.' }
    events.push({ type: 'response.failed', response: { ...last, usage: null, error } })
  }
  return events.map((event, index) => ({ ...event, sequence_number: index }))
}

/** How many events there are up to the first delta of text, it included. */
export function untilFirstDelta(events: readonly StreamEvent[]): number {
  return events.findIndex(({ type }) => type === 'response.output_text.delta') + 1
}

/** As bytes on the wire, one buffer per event. */
export function encodeEvents(events: readonly StreamEvent[]): Buffer[] {
  return events.map((event) => Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`))
}

/** A recorded non-streamed Response as the stream it would have been. */
export function eventsOfResponse(response: { readonly [key: string]: unknown }): StreamEvent[] {
  const output = Array.isArray(response.output) ? response.output : []
  const started = { ...response, status: 'in_progress', output: [], usage: null }
  const events: StreamEvent[] = [{ type: 'response.created', response: started }]
  output.forEach((item, output_index) => {
    events.push({ type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress' } })
    events.push({ type: 'response.output_item.done', output_index, item })
  })
  const type = response.status === 'incomplete' ? 'response.incomplete' : 'response.completed'
  events.push({ type, response: { ...response, status: type.slice('response.'.length) } })
  return events.map((event, index) => ({ ...event, sequence_number: index }))
}

type Streamed = { readonly events: readonly StreamEvent[]; readonly done: object }

function itemEvents(item: Item, output_index: number, responseId: string): Streamed {
  const key = `${responseId.slice(-4)}${output_index}`
  if ('raw' in item) return opened(item.raw, item.raw, output_index, [])
  if ('reasoning' in item) return reasoningEvents(item.reasoning, output_index, `rs_${key}`)
  if ('call' in item) {
    const text = typeof item.arguments === 'string' ? item.arguments : JSON.stringify(item.arguments)
    const call = { id: `fc_${key}`, type: 'function_call', call_id: item.callId ?? `call_${key}`, name: item.call }
    return callEvents(call, text, output_index)
  }
  return messageEvents(item, output_index, `msg_${key}`)
}

function callEvents(call: { id: string }, text: string, output_index: number): Streamed {
  const place = { item_id: call.id, output_index }
  const events = [
    ...pieces(text).map((delta) => ({ type: 'response.function_call_arguments.delta', ...place, delta })),
    { type: 'response.function_call_arguments.done', ...place, arguments: text },
  ]
  const open = { ...call, arguments: '', status: 'in_progress' }
  return opened(open, { ...call, arguments: text, status: 'completed' }, output_index, events)
}

function reasoningEvents(parts: readonly string[], output_index: number, id: string): Streamed {
  const events = parts.flatMap((text, summary_index) => {
    const place = { item_id: id, output_index, summary_index }
    const part = { type: 'summary_text', text }
    return [
      { type: 'response.reasoning_summary_part.added', ...place, part: { ...part, text: '' } },
      ...pieces(text).map((delta) => ({ type: 'response.reasoning_summary_text.delta', ...place, delta })),
      { type: 'response.reasoning_summary_text.done', ...place, text },
      { type: 'response.reasoning_summary_part.done', ...place, part },
    ]
  })
  const summary = parts.map((text) => ({ type: 'summary_text', text }))
  const item = { id, type: 'reasoning', encrypted_content: `encrypted-${id}` }
  return opened({ ...item, summary: [] }, { ...item, summary }, output_index, events)
}

type Message = Extract<Item, { text: string }>

function messageEvents({ text, phase }: Message, output_index: number, id: string): Streamed {
  const place = { item_id: id, output_index, content_index: 0 }
  const part = { type: 'output_text', text, annotations: [], logprobs: [] }
  const events = [
    { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
    ...pieces(text).map((delta) => ({ type: 'response.output_text.delta', ...place, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...place, text },
    { type: 'response.content_part.done', ...place, part },
  ]
  const item = { id, type: 'message', role: 'assistant', ...(phase === undefined ? {} : { phase }) }
  const open = { ...item, status: 'in_progress', content: [] }
  return opened(open, { ...item, status: 'completed', content: [part] }, output_index, events)
}

function opened(open: object, done: object, output_index: number, between: readonly StreamEvent[]): Streamed {
  const events = [
    { type: 'response.output_item.added', output_index, item: open },
    ...between,
    { type: 'response.output_item.done', output_index, item: done },
  ]
  return { events, done }
}

/** As a model streams: about a word at a time; joined, exactly the text. */
function pieces(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? []
}
