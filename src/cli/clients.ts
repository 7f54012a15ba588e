import { askServer, configuredUrl, isObject, type JsonObject, reachable } from './ask-server.ts'
import type { Model } from './client.ts'
import { CLIENTS } from './client-configs.ts'
import type { Call } from './commands.ts'
import type { Context, Outcome } from './context.ts'
import { locate, reach } from './locate.ts'

/** Asking upstream for the list may take longer than asking ourselves. */
const MODELS_LIMIT_MS = 20_000
/** Clients want a key even when the server asks for none. */
const NO_KEY = 'unused'
const KEY_PLACEHOLDER = 'YOUR_CLIENT_KEY'
const MODEL_PLACEHOLDER: Model = { id: 'MODEL', name: 'MODEL', images: true, reasoning: true }

/** Shows how to point a client at the server, filled with its address and models. */
export async function clients(context: Context, { argument, flags, settings }: Call): Promise<Outcome> {
  const { print } = context
  const client = CLIENTS.find(({ name }) => name === argument)
  if (client === undefined) return list(context, flags.json === true)

  const located = await locate(context, settings)
  const reached = await reach(located)
  const key = reached?.clientKey ?? located.loaded.config.apiKey
  const done = print.progress('Asking for the models …')
  const answer = reached && (await askServer(reached.url, '/v1/models', key, MODELS_LIMIT_MS).finally(done))
  done()
  const models = modelsIn(answer?.body)
  if (reached === undefined) print.note('The server does not run: start it to have the models filled in.')
  else if (models.length === 0) print.note('The server has no models to offer now; see `codex-api-proxy doctor`.')

  const named = typeof flags.model === 'string' ? flags.model : undefined
  const all =
    models.length === 0 ? [{ ...MODEL_PLACEHOLDER, ...(named !== undefined && { id: named, name: named }) }] : models
  const model = all.find(({ id }) => id === named) ?? all[0] ?? MODEL_PLACEHOLDER
  if (named !== undefined && model.id !== named)
    throw new Error(`There is no model ${named}; there are ${all.map(({ id }) => id).join(', ')}.`)

  const config = client.render({
    baseUrl: `${reachable(reached?.url ?? configuredUrl(located.loaded.config))}/v1`,
    key: key === undefined ? NO_KEY : flags.showKey === true ? key : KEY_PLACEHOLDER,
    needsKey: key !== undefined,
    model,
    models: all,
  })
  if (flags.json === true) print.json({ client: client.name, title: client.title, model: model.id, text: config })
  else print.raw(config.endsWith('\n') ? config : `${config}\n`)
  if (key !== undefined && flags.showKey !== true)
    print.note(`Put your client key in place of ${KEY_PLACEHOLDER}, or use --show-key.`)
  return 0
}

function list({ print }: Context, json: boolean): Outcome {
  if (json) print.json(CLIENTS.map(({ name, title }) => ({ name, title })))
  else {
    print.table(CLIENTS.map(({ name, title }) => [name, title]))
    print.line('\n`codex-api-proxy clients <name>` shows the configuration of one.')
  }
  return 0
}

/**
 * `GET /v1/models`: the entries of `data`, with what the ChatGPT backend's own entries of `models` add
 * (docs/upstream.md 4.7). An API key's list has ids alone.
 */
function modelsIn(body: JsonObject | undefined): Model[] {
  const details = new Map(objectsIn(body?.models).map((entry) => [String(entry.slug), entry]))
  return objectsIn(body?.data).map((entry) => modelOf({ ...entry, ...details.get(String(entry.id)) }, String(entry.id)))
}

function modelOf(entry: JsonObject, id: string): Model {
  const name = typeof entry.display_name === 'string' ? entry.display_name : id
  const levels = entry.supported_reasoning_levels
  const images = !Array.isArray(entry.input_modalities) || entry.input_modalities.includes('image')
  return {
    id,
    name,
    images,
    // All current ones do; an entry that lists no levels at all is the exception.
    reasoning: !Array.isArray(levels) || levels.length > 0,
    ...(typeof entry.context_window === 'number' && { contextWindow: entry.context_window }),
    ...(typeof entry.max_output_tokens === 'number' && { maxOutput: entry.max_output_tokens }),
  }
}

function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
