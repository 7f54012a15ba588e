export type Model = {
  readonly id: string
  readonly name: string
  /** Takes images. */
  readonly images: boolean
  /** Reasoning efforts, weakest first; none when unknown. */
  readonly efforts: readonly string[]
  /** Tokens; absent when unknown. */
  readonly contextWindow?: number
  readonly maxOutput?: number
}

type Server = {
  /** With `/v1`. */
  readonly baseUrl: string
  /** What clients send as key; a server without one takes anything. */
  readonly key: string
  readonly needsKey: boolean
  /** The model to name. */
  readonly model: Model
  readonly models: readonly Model[]
}

type Client = {
  readonly name: string
  readonly title: string
  readonly render: (server: Server) => string
}

const PROVIDER = 'codex-api-proxy'
/** What the current models can put out; clients that ask for a limit want some number. */
const USUAL_MAX_OUTPUT = 128_000
const USUAL_CONTEXT = 272_000

/** Clients and the configuration they read, as their own documentation describes it. */
export const CLIENTS: readonly Client[] = [
  {
    name: 'env',
    title: 'Environment variables, for anything built on an OpenAI SDK',
    render: ({ baseUrl, key }) => `export OPENAI_BASE_URL=${shell(baseUrl)}
export OPENAI_API_KEY=${shell(key)}
# The name that older programs read:
export OPENAI_API_BASE=${shell(baseUrl)}
`,
  },
  {
    name: 'openclaw',
    title: 'OpenClaw: ~/.openclaw/openclaw.json',
    render: ({ baseUrl, key, model, models }) =>
      json({
        models: {
          mode: 'merge',
          providers: {
            [PROVIDER]: {
              baseUrl,
              apiKey: key,
              api: 'openai-completions',
              models: models.map((each) => ({
                id: each.id,
                name: each.name,
                reasoning: true,
                input: each.images ? ['text', 'image'] : ['text'],
                cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
                contextWindow: each.contextWindow ?? USUAL_CONTEXT,
                maxTokens: each.maxOutput ?? USUAL_MAX_OUTPUT,
              })),
            },
          },
        },
        agents: { defaults: { model: { primary: `${PROVIDER}/${model.id}` } } },
      }),
  },
  {
    name: 'codex',
    title: 'Codex CLI: ~/.codex/config.toml',
    render: ({ baseUrl, key, needsKey, model }) => `model = ${toml(model.id)}
model_provider = "proxy"

[model_providers.proxy]
name = "codex-api-proxy"
base_url = ${toml(baseUrl)}
wire_api = "responses"
supports_websockets = false
${needsKey ? `env_key = "CODEX_PROXY_API_KEY"   # in your shell: export CODEX_PROXY_API_KEY=${shell(key)}\n` : ''}`,
  },
  {
    name: 'openai-python',
    title: 'OpenAI SDK for Python',
    render: ({ baseUrl, key, model }) => `from openai import OpenAI

client = OpenAI(base_url=${string(baseUrl)}, api_key=${string(key)})
stream = client.chat.completions.create(
    model=${string(model.id)},
    messages=[{"role": "user", "content": "Say hello."}],
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
`,
  },
  {
    name: 'openai-node',
    title: 'OpenAI SDK for Node',
    render: ({ baseUrl, key, model }) => `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: ${string(baseUrl)}, apiKey: ${string(key)} })
const stream = await client.chat.completions.create({
  model: ${string(model.id)},
  messages: [{ role: 'user', content: 'Say hello.' }],
  stream: true,
})
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
`,
  },
  {
    name: 'ai-sdk',
    title: 'AI SDK: packages ai and @ai-sdk/openai',
    render: ({ baseUrl, key, model }) => `import { createOpenAI } from '@ai-sdk/openai'
import { streamText } from 'ai'

const openai = createOpenAI({ baseURL: ${string(baseUrl)}, apiKey: ${string(key)} })
// openai.chat(…) speaks Chat Completions, openai.responses(…) the Responses API.
const { textStream } = streamText({ model: openai.chat(${string(model.id)}), prompt: 'Say hello.' })
for await (const text of textStream) process.stdout.write(text)
`,
  },
  {
    name: 'langchain',
    title: 'LangChain: langchain-openai (Python), @langchain/openai (Node)',
    render: ({ baseUrl, key, model }) => `# Python
from langchain_openai import ChatOpenAI

llm = ChatOpenAI(model=${string(model.id)}, base_url=${string(baseUrl)}, api_key=${string(key)})

// Node
import { ChatOpenAI } from '@langchain/openai'

const llm = new ChatOpenAI({
  model: ${string(model.id)},
  apiKey: ${string(key)},
  configuration: { baseURL: ${string(baseUrl)} },
})
`,
  },
  {
    name: 'opencode',
    title: 'opencode: ~/.config/opencode/opencode.jsonc',
    render: (server) => `// opencode 2
${opencode(server)}
// opencode 1 has other names for the same
${opencode1(server)}`,
  },
  {
    name: 'cline',
    title: 'Cline: its settings in the editor',
    render: ({ baseUrl, key, model }) => `API Provider         OpenAI Compatible
Base URL             ${baseUrl}
API Key              ${key}
Model ID             ${model.id}

Model Configuration
  Supports Images    ${model.images ? 'yes' : 'no'}
  Context Window     ${model.contextWindow ?? USUAL_CONTEXT}
  Max Output Tokens  ${model.maxOutput ?? USUAL_MAX_OUTPUT}
`,
  },
  {
    name: 'continue',
    title: 'Continue: ~/.continue/config.yaml',
    render: ({ baseUrl, key, models }) => `name: ${PROVIDER}
version: 1.0.0
schema: v1
models:
${models
  .map(
    (model) => `  - name: ${string(model.name)}
    provider: openai
    model: ${string(model.id)}
    apiBase: ${string(baseUrl)}
    apiKey: ${string(key)}
    roles: [chat, edit, apply]
    capabilities: [${model.images ? 'tool_use, image_input' : 'tool_use'}]
    defaultCompletionOptions:
      contextLength: ${model.contextWindow ?? USUAL_CONTEXT}
`,
  )
  .join('')}`,
  },
  {
    name: 'aider',
    title: 'Aider: ~/.aider.conf.yml',
    render: ({ baseUrl, key, model }) => `# ~/.aider.conf.yml
model: ${string(`openai/${model.id}`)}
openai-api-base: ${string(baseUrl)}
openai-api-key: ${string(key)}

# ~/.aider.model.metadata.json
${json({
  [`openai/${model.id}`]: {
    max_input_tokens: model.contextWindow ?? USUAL_CONTEXT,
    max_output_tokens: model.maxOutput ?? USUAL_MAX_OUTPUT,
    input_cost_per_token: 0,
    output_cost_per_token: 0,
    litellm_provider: 'openai',
    mode: 'chat',
    supports_vision: model.images,
  },
})}`,
  },
  {
    name: 'open-webui',
    title: 'Open WebUI: variables of its container',
    render: ({
      baseUrl,
      key,
    }) => `# On the network of the host, where the server listens on 127.0.0.1; Open WebUI then answers on port 8080.
docker run -d --network host -v open-webui:/app/backend/data --name open-webui \\
  -e OPENAI_API_BASE_URL=${shell(baseUrl)} \\
  -e OPENAI_API_KEY=${shell(key)} \\
  ghcr.io/open-webui/open-webui:main
`,
  },
  {
    name: 'librechat',
    title: 'LibreChat: librechat.yaml',
    render: ({ baseUrl, key, model, models }) => `version: 1.2.8
cache: true
endpoints:
  custom:
    - name: ${string(PROVIDER)}
      apiKey: ${string(key)}
      baseURL: ${string(baseUrl)}
      models:
        default: [${models.map(({ id }) => string(id)).join(', ')}]
        fetch: true
      titleConvo: true
      titleModel: ${string(model.id)}
      modelDisplayLabel: 'Codex'
      customParams:
        reasoningFormat: reasoning_content
`,
  },
]

function opencode({ baseUrl, key, model, models }: Server): string {
  const entry = (each: Model) => ({
    name: each.name,
    capabilities: { tools: true, input: each.images ? ['text', 'image'] : ['text'], output: ['text'] },
    limit: limitOf(each),
  })
  return json({
    providers: {
      [PROVIDER]: {
        name: PROVIDER,
        package: '@ai-sdk/openai-compatible',
        settings: { baseURL: baseUrl, apiKey: key },
        models: Object.fromEntries(models.map((each) => [each.id, entry(each)])),
      },
    },
    model: `${PROVIDER}/${model.id}`,
  })
}

function opencode1({ baseUrl, key, model, models }: Server): string {
  const entry = (each: Model) => ({
    name: each.name,
    attachment: each.images,
    reasoning: true,
    tool_call: true,
    modalities: { input: each.images ? ['text', 'image'] : ['text'], output: ['text'] },
    limit: limitOf(each),
  })
  return json({
    $schema: 'https://opencode.ai/config.json',
    provider: {
      [PROVIDER]: {
        npm: '@ai-sdk/openai-compatible',
        name: PROVIDER,
        options: { baseURL: baseUrl, apiKey: key },
        models: Object.fromEntries(models.map((each) => [each.id, entry(each)])),
      },
    },
    model: `${PROVIDER}/${model.id}`,
  })
}

function limitOf({ contextWindow, maxOutput }: Model): { context: number; output: number } {
  return { context: contextWindow ?? USUAL_CONTEXT, output: maxOutput ?? USUAL_MAX_OUTPUT }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/** A double-quoted string of JSON, which YAML, TOML, Python and JavaScript read alike. */
function string(text: string): string {
  return JSON.stringify(text)
}

const toml = string

function shell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
