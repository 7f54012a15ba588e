import { isJsonType } from '../../src/media-type.ts'
import { catalogueFor, type ModelEntry } from './models.ts'
import type { RecordedRequest } from './recorded-request.ts'
import { detail, type Refusal } from './refusal.ts'
import { accessRefusal, bodyRefusal } from './refusals.ts'
import type { OutgoingHeaders } from './replay.ts'

export const CHATGPT_PATH = '/backend-api/codex'

/** On every answer of the ChatGPT backend, with the state of the account's limits (docs/upstream.md 6.1). */
export const CHATGPT_HEADERS: OutgoingHeaders = {
  'x-codex-active-limit': 'codex',
  'x-codex-plan-type': 'plus',
  'x-codex-primary-used-percent': '12',
  'x-codex-primary-window-minutes': '299',
  'x-codex-primary-reset-after-seconds': '9000',
  'x-codex-primary-reset-at': '1795009000',
  'x-codex-primary-over-secondary-limit-percent': '0',
  'x-codex-secondary-used-percent': '31',
  'x-codex-secondary-window-minutes': '10079',
  'x-codex-secondary-reset-after-seconds': '167364',
  'x-codex-secondary-reset-at': '1795167364',
  'x-codex-credits-has-credits': 'False',
  'x-codex-credits-unlimited': 'False',
  'x-codex-credits-balance': '',
  'x-codex-turn-state': 'fake-turn-state',
  'x-models-etag': '"fake-models-1"',
  'x-request-id': 'fake-request-0001',
  'cf-ray': '9a0000000000fake-FRA',
  'set-cookie': ['__cf_bm=fake; path=/; HttpOnly; Secure', 'oai-sc=fake; path=/'],
  server: 'cloudflare',
}

type Rules = { readonly acceptToken: (token: string) => boolean; readonly models: readonly ModelEntry[] }

/** The catalogue, or why there is none. */
export function modelsAnswer(request: RecordedRequest, { acceptToken, models }: Rules): Refusal {
  const { searchParams } = new URL(request.path, 'http://fake')
  const catalogue = catalogueFor(models, searchParams.get('client_version') ?? '')
  const headers = { etag: '"fake-models-1"' }
  return accessRefusal(request.headers, acceptToken) ?? { status: 200, headers, body: catalogue }
}

/** Why the backend would refuse this call; undefined when it would answer. */
export function chatgptRefusal(request: RecordedRequest, { acceptToken, models }: Rules): Refusal | undefined {
  const access = accessRefusal(request.headers, acceptToken)
  if (access !== undefined) return access
  const [route] = request.path.split('?')
  if (route !== `${CHATGPT_PATH}/responses`) return undefined
  if (request.method !== 'POST') return detail('Method Not Allowed', 405)
  if (!isJsonType(request.headers['content-type'])) return detail('Unsupported content type')
  return bodyRefusal(request.json, request.headers, models)
}
