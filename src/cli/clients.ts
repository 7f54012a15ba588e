import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { askServer, configuredUrl, reachable } from './ask-server.ts'
import { CLIENTS } from './client-configs.ts'
import type { Call } from './commands.ts'
import type { Context, Outcome } from './context.ts'
import { locate, reach } from './locate.ts'
import { type Model, modelsIn, usualModels } from './models.ts'
import type { Print } from './print.ts'
import { shell } from './shell.ts'

/** Asking upstream for the list may take longer than asking ourselves. */
const MODELS_LIMIT_MS = 20_000
/** Clients want a key even when the server asks for none. */
const NO_KEY = 'unused'
const KEY_PLACEHOLDER = 'YOUR_CLIENT_KEY'
const MODEL_PLACEHOLDER = 'MODEL'

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

  const model = chosen(models, typeof flags.model === 'string' ? flags.model : undefined, print)
  const config = client.render({
    baseUrl: `${reachable(reached?.url ?? configuredUrl(located.loaded.config))}/v1`,
    key: key === undefined ? NO_KEY : flags.showKey === true ? key : KEY_PLACEHOLDER,
    needsKey: key !== undefined,
    model,
    models: [model, ...usualModels(models).filter(({ id }) => id !== model.id)],
  })
  if (flags.json === true) print.json({ client: client.name, title: client.title, model: model.id, text: config })
  else print.raw(config.endsWith('\n') ? config : `${config}\n`)
  if (key !== undefined && flags.showKey !== true)
    print.note(`Put your client key in place of ${KEY_PLACEHOLDER}, or use --show-key.`)
  const { tlsCert } = located.loaded.config
  if (tlsCert !== undefined && isSelfSigned(tlsCert)) print.note(howToTrust(tlsCert))
  return 0
}

function howToTrust(path: string): string {
  const file = shell(path)
  return (
    'The certificate is self-signed, and clients refuse it until they are told to trust it: those on Node with ' +
    `NODE_EXTRA_CA_CERTS=${file}, those on Python with SSL_CERT_FILE=${file}, others in a way of their own.`
  )
}

function isSelfSigned(path: string): boolean {
  try {
    const certificate = new X509Certificate(readFileSync(path))
    return certificate.checkIssued(certificate)
  } catch {
    // What can't be read is told by whoever serves with it.
    return false
  }
}

/** The model that is asked for, or the usual one; a placeholder where neither is known. */
function chosen(models: readonly Model[], named: string | undefined, print: Print): Model {
  const model = named === undefined ? usualModels(models)[0] : models.find(({ id }) => id === named)
  if (model !== undefined) return model
  if (models.length > 0) {
    const ids = models.map(({ id }) => id).join(', ')
    if (named !== undefined) throw new Error(`There is no model ${named}; there are ${ids}.`)
    print.note(`No model of the list is a usual one: name one with --model. There are ${ids}.`)
  }
  return { id: named ?? MODEL_PLACEHOLDER, name: named ?? MODEL_PLACEHOLDER }
}

function list({ print }: Context, json: boolean): Outcome {
  if (json) print.json(CLIENTS.map(({ name, title }) => ({ name, title })))
  else {
    print.table(CLIENTS.map(({ name, title }) => [name, title]))
    print.line('\n`codex-api-proxy clients <name>` shows the configuration of one.')
  }
  return 0
}
