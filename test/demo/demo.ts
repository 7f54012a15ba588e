import OpenAI from 'openai'
import type { ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources/chat/completions'
import type { Item } from '../fake-upstream/event-stream.ts'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import { type FakeUpstream, startFakeUpstream } from '../fake-upstream/server.ts'
import { chatgptAuth } from '../support/auth-files.ts'
import { createHome, startForeground } from '../support/program.ts'
import { streamTurn, type Turn } from './stream-turn.ts'

/** Slow enough for a person to see it stream. */
const PAUSE_MS = 40
const MODEL = 'gpt-5.5'
const QUESTION = 'What is the weather like in Paris, Tokyo and Lima?'
const WEATHER: Readonly<Record<string, string>> = { Paris: '18 °C, rain', Tokyo: '24 °C, sunny', Lima: '19 °C, fog' }
const CITIES = Object.keys(WEATHER)

const TOOLS: ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'The weather in a city right now.',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
]

const print = (text: string) => process.stdout.write(text)

/** What the simulated model says: first three tool calls at once, then a text. */
function playModel(upstream: FakeUpstream): void {
  const calls = CITIES.map((city): Item => ({ call: 'get_weather', arguments: { city } }))
  const thought: Item = { reasoning: ['Three cities, so three calls side by side.'] }
  const text = CITIES.map((city) => `${city}: ${WEATHER[city]}`).join('; ')
  const answers = [
    { items: [thought, ...calls], responseId: 'resp_demo0001' },
    { items: [{ text: `Here is the weather right now. ${text}.` }], responseId: 'resp_demo0002' },
  ]
  for (const { items, responseId } of answers) {
    upstream.enqueue({ events: responseEvents(items, { model: MODEL, responseId }), delayMs: PAUSE_MS })
  }
}

async function converse(client: OpenAI, signal: AbortSignal): Promise<void> {
  const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: QUESTION }]
  print(`\nuser       ${QUESTION}\n\nassistant  `)
  const first = await streamTurn(client, { model: MODEL, messages, tools: TOOLS }, signal, print)
  expectTurn(first, { finishReason: 'tool_calls', calls: CITIES.length })
  messages.push({ role: 'assistant', tool_calls: first.calls })
  print('\n')
  for (const call of first.calls) {
    const { city } = JSON.parse(call.function.arguments) as { city: string }
    const content = WEATHER[city] ?? 'unknown'
    print(`tool       ${city}: ${content}\n`)
    messages.push({ role: 'tool', tool_call_id: call.id, content })
  }
  print('\nassistant  ')
  const second = await streamTurn(client, { model: MODEL, messages, tools: TOOLS }, signal, print)
  expectTurn(second, { finishReason: 'stop', calls: 0 })
  const missing = CITIES.filter((city) => !second.text.includes(WEATHER[city] ?? city))
  if (missing.length > 0) throw new Error(`the answer says nothing of ${missing.join(', ')}`)
}

function expectTurn(turn: Turn, expected: { finishReason: string; calls: number }): void {
  if (turn.finishReason !== expected.finishReason || turn.calls.length !== expected.calls) {
    throw new Error(`the turn ended with ${turn.finishReason} and ${turn.calls.length} tool calls`)
  }
}

async function demo(signal: AbortSignal): Promise<void> {
  print('codex-api-proxy demo\n\n')
  print('The upstream is SIMULATED: a small server on this machine plays the ChatGPT backend.\n')
  print('No login is used, and nothing is sent to OpenAI.\n\n')
  const home = await createHome()
  const upstream = await startFakeUpstream()
  try {
    await home.writeAuth(chatgptAuth())
    playModel(upstream)
    const env = { CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl }
    const proxy = await startForeground(['--proxy', 'none'], { home, env })
    try {
      print(`fake upstream  ${upstream.chatgptBaseUrl}\n`)
      print(`proxy          ${proxy.url}/v1\n`)
      print('client         the official openai package, chat.completions.create({ stream: true })\n')
      await converse(new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: 'unused', maxRetries: 0 }), signal)
    } finally {
      await proxy.stop()
    }
  } finally {
    await upstream.close()
    await home.remove()
  }
  print('\nDone: two streamed turns and three parallel tool calls went through the proxy.\n')
  print('Once more: the upstream was SIMULATED and no login was used. For real answers see the README.\n')
}

const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())
try {
  await demo(interrupted.signal)
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
