import { type Client, type Model, type Server, shell, string } from './client.ts'
import { CODE_CLIENTS } from './client-code.ts'

const PROVIDER = 'codex-api-proxy'
/** What the current models can put out; clients that ask for a limit want some number. */
const USUAL_MAX_OUTPUT = 128_000
const USUAL_CONTEXT = 272_000

/** Applications and the configuration they read, as their own documentation describes it. */
const APPLICATIONS: readonly Client[] = [
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
                reasoning: each.reasoning,
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
    render: ({ baseUrl, key, needsKey, model }) => `model = ${string(model.id)}
model_provider = "proxy"

[model_providers.proxy]
name = "codex-api-proxy"
base_url = ${string(baseUrl)}
wire_api = "responses"
supports_websockets = false
${needsKey ? `env_key = "CODEX_PROXY_API_KEY"   # in your shell: export CODEX_PROXY_API_KEY=${shell(key)}\n` : ''}`,
  },
  {
    name: 'opencode',
    title: 'opencode 2: ~/.config/opencode/opencode.jsonc',
    render: opencode,
  },
  {
    name: 'opencode-1',
    title: 'opencode 1: ~/.config/opencode/opencode.json',
    render: opencode1,
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
    render: ({
      baseUrl,
      key,
      model,
      models,
    }) => `# In a container, 127.0.0.1 is the container itself: run it on the host's network.
version: 1.2.8
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
`,
  },
]

export const CLIENTS: readonly Client[] = [...CODE_CLIENTS, ...APPLICATIONS]

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
    reasoning: each.reasoning,
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
