import { expect, test } from 'vitest'
import type { Model } from '../../models.ts'
import { SHELL_FORMS } from '../../shell.ts'
import type { Server } from './client.ts'
import { CLIENTS } from './clients.ts'

/** Of a ChatGPT plan. */
const KNOWN: Model = {
  id: 'gpt-known',
  name: 'GPT Known',
  images: true,
  reasoning: true,
  efforts: ['low', 'max'],
  contextWindow: 272_000,
  maxOutput: 128_000,
  inPlan: true,
}
/** Of an API key: the list tells nothing but its name. */
const BARE: Model = { id: 'gpt-bare', name: 'gpt-bare' }

const BASE_URL = 'http://127.0.0.1:8765/v1'

function textFor(name: string, given: Partial<Server> = {}): string {
  const client = CLIENTS.find((one) => one.name === name)
  if (client === undefined) throw new Error(`There is no client ${name}.`)
  const server = { baseUrl: BASE_URL, key: 'a-key', needsKey: true, model: KNOWN, models: [KNOWN, BARE] }
  return client.render({ ...server, shell: SHELL_FORMS.sh, ...given })
}

test('opencode 1 is told all that is known of each model, and nothing that is not', () => {
  expect(JSON.parse(textFor('opencode'))).toEqual({
    $schema: 'https://opencode.ai/config.json',
    provider: {
      'codex-api-proxy': {
        npm: '@ai-sdk/openai-compatible',
        name: 'codex-api-proxy',
        options: { baseURL: BASE_URL, apiKey: 'a-key' },
        models: {
          'gpt-known': {
            name: 'GPT Known',
            attachment: true,
            reasoning: true,
            variants: { low: { reasoningEffort: 'low' }, max: { reasoningEffort: 'max' } },
            tool_call: true,
            modalities: { input: ['text', 'image'], output: ['text'] },
            limit: { context: 272_000, output: 128_000 },
          },
          'gpt-bare': { name: 'gpt-bare' },
        },
      },
    },
    model: 'codex-api-proxy/gpt-known',
  })
})

test('so is opencode 2, in its own form', () => {
  expect(JSON.parse(textFor('opencode-2'))).toEqual({
    providers: {
      'codex-api-proxy': {
        name: 'codex-api-proxy',
        package: '@ai-sdk/openai-compatible',
        settings: { baseURL: BASE_URL, apiKey: 'a-key' },
        models: {
          'gpt-known': {
            name: 'GPT Known',
            capabilities: { tools: true, input: ['text', 'image'], output: ['text'] },
            limit: { context: 272_000, output: 128_000 },
          },
          'gpt-bare': { name: 'gpt-bare' },
        },
      },
    },
    model: 'codex-api-proxy/gpt-known',
  })
})

test.each([{ contextWindow: 272_000 }, { maxOutput: 128_000 }])(
  'neither gets a limit alone, which it would not accept: %j',
  (limit) => {
    const model = { ...BARE, ...limit }
    for (const name of ['opencode', 'opencode-2']) expect(textFor(name, { models: [model] })).not.toContain('"limit"')
  },
)

test('OpenClaw is told which model to use by default, and what its tokens cost', () => {
  const { models, agents } = JSON.parse(textFor('openclaw'))
  expect([models.mode, agents.defaults.model.primary]).toEqual(['merge', 'codex-api-proxy/gpt-known'])
  expect(models.providers['codex-api-proxy']).toEqual({
    baseUrl: BASE_URL,
    apiKey: 'a-key',
    api: 'openai-completions',
    models: [
      {
        id: 'gpt-known',
        name: 'GPT Known',
        reasoning: true,
        compat: { supportsReasoningEffort: true, supportedReasoningEfforts: ['low', 'max'] },
        input: ['text', 'image'],
        cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
        contextWindow: 272_000,
        maxTokens: 128_000,
      },
      { id: 'gpt-bare', name: 'gpt-bare' },
    ],
  })
})

const CODEX = `model = "gpt-known"
model_provider = "proxy"

[model_providers.proxy]
name = "codex-api-proxy"
base_url = "http://127.0.0.1:8765/v1"
wire_api = "responses"
supports_websockets = false
`

test('Codex is told of a key only where the server asks for one', () => {
  expect(textFor('codex', { needsKey: false })).toBe(CODEX)
  expect(textFor('codex')).toBe(
    `${CODEX}env_key = "CODEX_PROXY_API_KEY"   # in your shell: export CODEX_PROXY_API_KEY='a-key'\n`,
  )
})

test('Aider gets no file about a model of which nothing is known', () => {
  expect(textFor('aider', { model: BARE })).toBe(`In ~/.aider.conf.yml:

model: "openai/gpt-bare"
openai-api-base: "http://127.0.0.1:8765/v1"
openai-api-key: "a-key"
`)
})

test('GitHub Copilot is pointed to the Responses API, which it does not use by itself', () => {
  expect(textFor('copilot')).toBe(`export COPILOT_PROVIDER_BASE_URL='http://127.0.0.1:8765/v1'
export COPILOT_PROVIDER_API_KEY='a-key'
export COPILOT_PROVIDER_WIRE_API='responses'
export COPILOT_MODEL='gpt-known'
`)
})

test('LibreChat is told the models, to ask for others, and which writes the titles', () => {
  expect(textFor('librechat')).toContain(`endpoints:
  custom:
    - name: "codex-api-proxy"
      apiKey: "a-key"
      baseURL: "http://127.0.0.1:8765/v1"
      models:
        default: ["gpt-known", "gpt-bare"]
        fetch: true
      titleConvo: true
      titleModel: "gpt-known"
`)
})

test('Continue is told what it may send to each model, as far as that is known', () => {
  expect(textFor('continue')).toBe(`name: codex-api-proxy
version: 1.0.0
schema: v1
models:
  - name: "GPT Known"
    provider: openai
    model: "gpt-known"
    apiBase: "http://127.0.0.1:8765/v1"
    apiKey: "a-key"
    roles: [chat, edit, apply]
    capabilities: [tool_use, image_input]
    defaultCompletionOptions:
      contextLength: 272000
  - name: "gpt-bare"
    provider: openai
    model: "gpt-bare"
    apiBase: "http://127.0.0.1:8765/v1"
    apiKey: "a-key"
    roles: [chat, edit, apply]
`)
})

test('the settings of Cline have no part for a model of which nothing is known', () => {
  const settings = (model: Model) => textFor('cline', { model }).split('\nIn the terminal:\n')[0]
  const plain = (id: string) => `API Provider         OpenAI Compatible
Base URL             http://127.0.0.1:8765/v1
API Key              a-key
Model ID             ${id}
`
  expect(settings(BARE)).toBe(plain('gpt-bare'))
  expect(settings(KNOWN)).toBe(`${plain('gpt-known')}
Model Configuration
  Supports Images    yes
  Context Window     272000
  Max Output Tokens  128000
`)
})
