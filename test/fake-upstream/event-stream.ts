/** One event of a Responses stream; `type` decides what else is in it. */
export type StreamEvent = { readonly type: string; readonly [key: string]: unknown }

/** One item of an answer, in the short form tests are written in. */
export type Item =
  | { readonly text: string; readonly phase?: 'commentary' | 'final_answer'; readonly annotations?: readonly object[] }
  | { readonly refusal: string }
  /** Parts of a reasoning summary; none makes a reasoning item without summary. */
  | { readonly reasoning: readonly string[] }
  | { readonly call: string; readonly arguments: string | object; readonly callId?: string }
  | { readonly customCall: string; readonly input: string; readonly callId?: string }
  /** Any other item (`web_search_call` …): opened and closed as it is. */
  | { readonly raw: { readonly type: string; readonly [key: string]: unknown } }

export type StreamOptions = {
  readonly model?: string
  readonly responseId?: string
  readonly usage?: object | null
  /** How the stream ends; `none` stops without a terminal event. */
  readonly end?: 'completed' | 'incomplete' | 'failed' | 'none'
  /** For `incomplete`. */
  readonly reason?: 'max_output_tokens' | 'content_filter'
  /** For `failed`. */
  readonly error?: { readonly code: string; readonly message: string }
  /** The ChatGPT backend leaves `output` of the last event empty (docs/upstream.md 5.1), the API sends it `full`. */
  readonly output?: 'empty' | 'full'
}

const USAGE = {
  input_tokens: 42,
  input_tokens_details: { cached_tokens: 16 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 54,
}

/** All events of an answer: created, each item with its deltas, and the terminal event. */
export function responseEvents(items: readonly Item[], options: StreamOptions = {}): StreamEvent[] {
  const { model = 'gpt-5.5', responseId = 'resp_fake0001', usage = USAGE, end = 'completed' } = options
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
  const output = options.output === 'full' ? streamed.map(({ done }) => done) : []
  const last = { ...response, status: end, service_tier: 'default', usage, output }
  const events: StreamEvent[] = [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    ...streamed.flatMap(({ events }) => events),
  ]
  if (end === 'completed') events.push({ type: 'response.completed', response: last })
  if (end === 'incomplete') {
    const incomplete_details = { reason: options.reason ?? 'max_output_tokens' }
    events.push({ type: 'response.incomplete', response: { ...last, incomplete_details } })
  }
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
    const kind = 'function_call_arguments'
    return callEvents(call, { kind, field: 'arguments', text }, output_index)
  }
  if ('customCall' in item) {
    const call = { id: `ctc_${key}`, type: 'custom_tool_call', call_id: item.callId ?? `call_${key}` }
    const named = { ...call, name: item.customCall }
    return callEvents(named, { kind: 'custom_tool_call_input', field: 'input', text: item.input }, output_index)
  }
  return messageEvents(item, output_index, `msg_${key}`)
}

type Payload = { readonly kind: string; readonly field: 'arguments' | 'input'; readonly text: string }

function callEvents(call: { id: string }, { kind, field, text }: Payload, output_index: number): Streamed {
  const place = { item_id: call.id, output_index }
  const events = [
    ...pieces(text).map((delta) => ({ type: `response.${kind}.delta`, ...place, delta })),
    { type: `response.${kind}.done`, ...place, [field]: text },
  ]
  const open = { ...call, [field]: '', status: 'in_progress' }
  return opened(open, { ...call, [field]: text, status: 'completed' }, output_index, events)
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

type Message = Extract<Item, { text: string } | { refusal: string }>

function messageEvents(message: Message, output_index: number, id: string): Streamed {
  const refused = 'refusal' in message
  const text = refused ? message.refusal : message.text
  const place = { item_id: id, output_index, content_index: 0 }
  const part = refused
    ? { type: 'refusal', refusal: text }
    : { type: 'output_text', text, annotations: message.annotations ?? [], logprobs: [] }
  const kind = refused ? 'response.refusal' : 'response.output_text'
  const empty = refused ? { ...part, refusal: '' } : { ...part, text: '', annotations: [] }
  const annotations = refused ? [] : (message.annotations ?? [])
  const events = [
    { type: 'response.content_part.added', ...place, part: empty },
    ...pieces(text).map((delta) => ({ type: `${kind}.delta`, ...place, delta, logprobs: [] })),
    ...annotations.map((annotation, annotation_index) => ({
      type: 'response.output_text.annotation.added',
      ...place,
      annotation_index,
      annotation,
    })),
    { type: `${kind}.done`, ...place, [refused ? 'refusal' : 'text']: text },
    { type: 'response.content_part.done', ...place, part },
  ]
  const phase = refused || message.phase === undefined ? {} : { phase: message.phase }
  const item = { id, type: 'message', role: 'assistant', ...phase }
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
