import type OpenAI from 'openai'
import type {
  ChatCompletionChunk,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageFunctionToolCall,
} from 'openai/resources/chat/completions'

/** One answer of the assistant, put together from its chunks. */
export type Turn = {
  readonly text: string
  readonly calls: ChatCompletionMessageFunctionToolCall[]
  readonly finishReason: string
}

const INDENT = '           '

/** Asks for a streamed answer and prints each delta as it arrives. */
export async function streamTurn(
  client: OpenAI,
  request: Omit<ChatCompletionCreateParamsStreaming, 'stream'>,
  signal: AbortSignal,
  print: (text: string) => void,
): Promise<Turn> {
  const asked = { ...request, stream: true, stream_options: { include_usage: true } } as const
  const stream = await client.chat.completions.create(asked, { signal })
  const calls: ChatCompletionMessageFunctionToolCall[] = []
  let [text, thoughts, finishReason, deltas] = ['', '', 'none', 0]
  for await (const chunk of stream) {
    const [choice] = chunk.choices
    if (choice === undefined) {
      print(`${INDENT}(${deltas} chunks, finish reason ${finishReason}, ${chunk.usage?.total_tokens} tokens)\n`)
      continue
    }
    deltas++
    const { content, reasoning_content: thought } = choice.delta as Delta
    if (thought) print(thoughts === '' ? `(thinks) ${thought}` : thought)
    if (content) print(content)
    for (const part of choice.delta.tool_calls ?? []) {
      if (part.id !== undefined && (calls.length > 0 || thoughts !== '')) print(`\n${INDENT}`)
      printCall(part, calls, print)
    }
    thoughts += thought ?? ''
    text += content ?? ''
    if (choice.finish_reason !== null) {
      finishReason = choice.finish_reason
      print('\n')
    }
  }
  return { text, calls, finishReason }
}

/** `reasoning_content` is no field of OpenAI's own, so its types don't know it. */
type Delta = ChatCompletionChunk.Choice.Delta & { reasoning_content?: string }

function printCall(
  part: ChatCompletionChunk.Choice.Delta.ToolCall,
  calls: ChatCompletionMessageFunctionToolCall[],
  print: (text: string) => void,
): void {
  const { id, index, function: called } = part
  const call = calls[index] ?? { id: id ?? '', type: 'function', function: { name: '', arguments: '' } }
  calls[index] = call
  call.function.name += called?.name ?? ''
  call.function.arguments += called?.arguments ?? ''
  print(`${called?.name === undefined ? '' : `calls ${called.name} `}${called?.arguments ?? ''}`)
}
