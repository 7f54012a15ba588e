import type { Model } from '../../models.ts'
import { type Client, PROVIDER, quoted, type Server } from './client.ts'

/** Applications other than editors. */
export const APPLICATIONS: readonly Client[] = [
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
              models: models.map((each) => piModel(each, { compat: effortsForOpenClaw(each) })),
            },
          },
        },
        agents: { defaults: { model: { primary: `${PROVIDER}/${model.id}` } } },
      }),
  },
  {
    name: 'codex',
    title: 'Codex CLI: ~/.codex/config.toml',
    render: ({ baseUrl, key, needsKey, model, shell }) => `model = ${quoted(model.id)}
model_provider = "proxy"

[model_providers.proxy]
name = "codex-api-proxy"
base_url = ${quoted(baseUrl)}
wire_api = "responses"
supports_websockets = false
${needsKey ? `env_key = "CODEX_PROXY_API_KEY"   # in your shell: ${shell.variable('CODEX_PROXY_API_KEY', key)}\n` : ''}`,
  },
  {
    name: 'opencode',
    title: 'opencode 1 (the version on npm): ~/.config/opencode/opencode.json',
    render: opencode1,
  },
  {
    name: 'opencode-2',
    title: 'opencode 2: ~/.config/opencode/opencode.jsonc',
    render: opencode2,
  },
  {
    name: 'pi',
    title: 'pi: ~/.pi/agent/models.json; choose the model with /model or --model',
    render: pi,
  },
  {
    name: 'aider',
    title: 'Aider: ~/.aider.conf.yml and ~/.aider.model.metadata.json',
    render: aider,
  },
  {
    name: 'open-webui',
    title: 'Open WebUI: the command that starts its container',
    render: ({
      baseUrl,
      key,
      shell,
    }) => `# The server listens on 127.0.0.1 of the host, so the container uses its network. Open WebUI is then on port 8080.
docker run -d --network host -v open-webui:/app/backend/data --name open-webui${shell.continued}
  -e OPENAI_API_BASE_URL=${shell.word(baseUrl)}${shell.continued}
  -e OPENAI_API_KEY=${shell.word(key)}${shell.continued}
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
    }) => `# In a container 127.0.0.1 is the container itself: use the host's network.
version: 1.2.8
cache: true
endpoints:
  custom:
    - name: ${quoted(PROVIDER)}
      apiKey: ${quoted(key)}
      baseURL: ${quoted(baseUrl)}
      models:
        default: [${models.map(({ id }) => quoted(id)).join(', ')}]
        fetch: true
      titleConvo: true
      titleModel: ${quoted(model.id)}
      modelDisplayLabel: 'Codex'
`,
  },
]

function aider({ baseUrl, key, model }: Server): string {
  const { images, contextWindow, maxOutput, inPlan } = model
  const metadata = {
    max_input_tokens: contextWindow,
    max_output_tokens: maxOutput,
    ...(inPlan && { input_cost_per_token: 0, output_cost_per_token: 0 }),
    supports_vision: images,
  }
  const isKnown = Object.values(metadata).some((value) => value !== undefined)
  const config = `In ~/.aider.conf.yml:

model: ${quoted(`openai/${model.id}`)}
openai-api-base: ${quoted(baseUrl)}
openai-api-key: ${quoted(key)}
`
  if (!isKnown) return config
  return `${config}
In ~/.aider.model.metadata.json:

${json({ [`openai/${model.id}`]: { ...metadata, litellm_provider: 'openai', mode: 'chat' } })}`
}

function opencode2({ baseUrl, key, model, models }: Server): string {
  const entry = (each: Model) => ({
    name: each.name,
    capabilities: each.images === undefined ? undefined : { tools: true, input: inputOf(each), output: ['text'] },
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
    variants: effortsForOpenCode(each),
    tool_call: each.inPlan,
    modalities: each.images === undefined ? undefined : { input: inputOf(each), output: ['text'] },
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

/** Uses Responses, where pi itself sends back the reasoning of the model. */
function pi({ baseUrl, key, models }: Server): string {
  const entries = models.map((each) => piModel(each, { thinkingLevelMap: levelsForPi(each) }))
  const provider = { baseUrl, apiKey: literalForPi(key), api: 'openai-responses', models: entries }
  return json({ $schema: 'https://pi.dev/schemas/models.schema.json', providers: { [PROVIDER]: provider } })
}

/** A model as pi describes it, and OpenClaw too, except for its efforts. */
function piModel(model: Model, efforts: object): object {
  return {
    id: model.id,
    name: model.name,
    reasoning: model.reasoning,
    ...efforts,
    input: inputOf(model),
    cost: model.inPlan && { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow: model.contextWindow,
    maxTokens: model.maxOutput,
  }
}

/** pi substitutes variables, and the output of commands. */
function literalForPi(text: string): string {
  return text.replace(/\$|^!/g, '$$$&')
}

const LEVELS_OF_PI = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max']

/** For an unknown model pi offers the levels up to high; null removes one. */
function levelsForPi({ efforts }: Model): object | undefined {
  return efforts && Object.fromEntries(LEVELS_OF_PI.map((level) => [level, efforts.includes(level) ? level : null]))
}

/** Without it OpenClaw does not send the chosen thinking level to servers it does not know. */
function effortsForOpenClaw({ efforts }: Model): object | undefined {
  return efforts && { supportsReasoningEffort: true, supportedReasoningEfforts: efforts }
}

/** For a model that it does not know opencode offers low, medium and high, and ignores any other level silently. */
function effortsForOpenCode({ efforts }: Model): object | undefined {
  return efforts && Object.fromEntries(efforts.map((effort) => [effort, { reasoningEffort: effort }]))
}

function inputOf({ images }: Model): string[] | undefined {
  if (images === undefined) return undefined
  return images ? ['text', 'image'] : ['text']
}

/** Both or none: opencode does not accept only one. */
function limitOf({ contextWindow, maxOutput }: Model): { context: number; output: number } | undefined {
  if (contextWindow === undefined || maxOutput === undefined) return undefined
  return { context: contextWindow, output: maxOutput }
}

/** JSON leaves out what is undefined. */
function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
