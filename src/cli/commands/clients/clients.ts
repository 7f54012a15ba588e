import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { serverUrl, withoutBrackets } from '../../../config/endpoint.ts'
import type { Config } from '../../../config/options.ts'
import { asString } from '../../../json-object.ts'
import {
  type AskedServer,
  askServer,
  HOW_TO_GIVE_KEY,
  isKeyRefused,
  KEY_WANTED,
  type ServerAnswer,
} from '../../ask-server.ts'
import { certificateIn } from '../../certificate-in.ts'
import type { Call } from '../../command.ts'
import type { Context, ExitCode } from '../../context.ts'
import { atNamedPort, locate, reach, readableKey } from '../../locate.ts'
import { MODELS_PATH, type Model, modelsIn, usualModels } from '../../models.ts'
import type { Print } from '../../print.ts'
import { reachableUrl } from '../../server-address.ts'
import { type ShellForm, shellForm } from '../../shell.ts'
import type { Client, Server } from './client.ts'
import { APPLICATIONS } from './client-applications.ts'
import { CODE_CLIENTS } from './client-code.ts'
import { EDITORS } from './client-editors.ts'

/**
 * The clients and their configuration, as their own documentation describes it. What is not known about a model is left
 * out: most of them know OpenAI's models themselves.
 */
export const CLIENTS: readonly Client[] = [...CODE_CLIENTS, ...APPLICATIONS, ...EDITORS]

/** Fetching the list from upstream may take longer than asking our own server. */
const MODELS_LIMIT_MS = 20_000
/** Clients want a key even when the server asks for none. */
const NO_KEY = 'unused'
const KEY_PLACEHOLDER = 'YOUR_CLIENT_KEY'
const MODEL_PLACEHOLDER = 'MODEL'

/** Shows how to point a client at the server, filled with its address and models. */
export async function clients(context: Context, { argument, flags, settings }: Call): Promise<ExitCode> {
  const { print } = context
  const client = CLIENTS.find(({ name }) => name === argument)
  if (client === undefined) return list(context, flags.json === true)

  const located = atNamedPort(context, await locate(context, settings), settings)
  const { config } = located.loaded
  const reached = await reach(located)
  const answer = reached && (await askForModels(reached, print))
  const models = modelsIn(answer?.body)
  if (models.length === 0) print.note(whyNoModels(reached, answer))

  const model = chosen(models, asString(flags.model), print)
  const url = reachableUrl(reached?.url ?? serverUrl(config))
  const shell = shellForm(flags.shell, context.env)
  const { key, needsKey, hints } = keyToFillIn(config, {
    isRefused: isKeyRefused(answer),
    show: flags.showKey === true,
  })
  const others = usualModels(models).filter(({ id }) => id !== model.id)
  const text = client.render({ baseUrl: `${url}/v1`, key, needsKey, model, models: [model, ...others], shell })
  if (flags.json === true) print.json({ client: client.name, title: client.title, model: model.id, text })
  else {
    // Where to put it. When piped, the user already knows.
    if (print.resultIsTerminal) print.note(`${client.title}\n`)
    print.raw(text)
  }
  for (const hint of [...hints, ...obstaclesTo(url, config.tlsCert, shell)]) print.note(hint)
  return 0
}

/** What clients send as key: a placeholder for one that is not known or not to be shown. */
function keyToFillIn(
  config: Config,
  { isRefused, show }: { readonly isRefused: boolean; readonly show: boolean },
): Pick<Server, 'key' | 'needsKey'> & { readonly hints: readonly string[] } {
  const known = readableKey(config)
  const needsKey = known !== undefined || config.apiKeyFile !== undefined || isRefused
  if (!needsKey) return { key: NO_KEY, needsKey, hints: [] }
  if (known !== undefined && show) return { key: known, needsKey, hints: [] }
  const orShown = known === undefined ? '' : ', or use --show-key'
  return { key: KEY_PLACEHOLDER, needsKey, hints: [`Replace ${KEY_PLACEHOLDER} with your client key${orShown}.`] }
}

async function askForModels(reached: AskedServer, print: Print): Promise<ServerAnswer | undefined> {
  const done = print.progress('Asking for the models …')
  return await askServer(reached, MODELS_PATH, { limit: MODELS_LIMIT_MS }).finally(done)
}

function whyNoModels(reached: AskedServer | undefined, answer: ServerAnswer | undefined): string {
  if (reached === undefined)
    return 'The server is not running; run `codex-api-proxy start` first to get the models filled in.'
  if (answer === undefined) return 'The server did not answer; see `codex-api-proxy doctor`.'
  if (isKeyRefused(answer)) return `${KEY_WANTED} ${HOW_TO_GIVE_KEY}`
  return 'The server lists no models now; see `codex-api-proxy doctor`.'
}

/** Why clients would refuse the certificate, and what to do. */
function obstaclesTo(url: string, file: string | undefined, { word }: ShellForm): string[] {
  const certificate = certificateIn(file)
  if (file === undefined || certificate === undefined) return []
  const host = withoutBrackets(new URL(url).hostname)
  const isForHost = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)
  return [
    ...(certificate.checkIssued(certificate) ? [howToTrust(word(file))] : []),
    ...(isForHost === undefined ? [whichHost(certificate, host)] : []),
  ]
}

function howToTrust(file: string): string {
  return (
    'The certificate is self-signed, so clients must be told to trust it: Node clients with ' +
    `NODE_EXTRA_CA_CERTS=${file}, Python clients with SSL_CERT_FILE=${file}, others in their own way.`
  )
}

function whichHost({ subjectAltName }: X509Certificate, host: string): string {
  const names = subjectAltName === undefined ? '' : ` (${subjectAltName})`
  return `The certificate is not for ${host}: put a name or address that it is for${names} into the base URL instead.`
}

/** The model given by --model, or the default one; a placeholder if neither is known. */
function chosen(models: readonly Model[], named: string | undefined, print: Print): Model {
  const model = named === undefined ? usualModels(models)[0] : models.find(({ id }) => id === named)
  if (model !== undefined) return model
  if (models.length > 0) {
    const ids = models.map(({ id }) => id).join(', ')
    if (named !== undefined) throw new Error(`There is no model ${named}. Available: ${ids}.`)
    print.note(`The list has no known chat model: choose one with --model. Available: ${ids}.`)
  }
  return { id: named ?? MODEL_PLACEHOLDER, name: named ?? MODEL_PLACEHOLDER }
}

function list({ print }: Context, json: boolean): ExitCode {
  if (json) print.json(CLIENTS.map(({ name, title }) => ({ name, title })))
  else {
    print.table(CLIENTS.map(({ name, title }) => [name, title]))
    print.line('\n`codex-api-proxy clients <name>` prints the configuration for one.')
  }
  return 0
}
