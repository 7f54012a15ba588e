import { describe, expect, test } from 'vitest'
import { fixtureNames, loadFixture } from '../../../../test/fake-upstream/fixtures.ts'
import { acceptedBy } from '../../../../test/support/backend.ts'
import { CONTEXT, convertResponses, refusalOf } from '../../../../test/support/converted-requests.ts'
import { recordedBody } from '../../../../test/support/recorded.ts'
import type { JsonObject } from '../../../json-object.ts'
import { convertChatRequest } from './chat-request.ts'

/** What asks for something that cannot be had, and where it says so. */
const REFUSED: Readonly<Record<string, string>> = {
  'chat-input-audio-output-json': 'modalities',
  'chat-logprobs-stream': 'logprobs',
  'error-chat-400-tool-content-json': 'messages[3].content[1].type',
}

const recorded = (api: 'chat' | 'responses') =>
  fixtureNames()
    .map(loadFixture)
    .filter((fixture) => fixture.api === api && fixture.request?.model !== undefined)

/** All texts that the messages of a request hold. */
function textsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'string' && ['content', 'text', 'arguments', 'url', 'output'].includes(key)
      ? [inner]
      : textsIn(inner),
  )
}

describe('a recorded Chat request is converted to what the backend takes, and no text is lost', () => {
  const fixtures = recorded('chat').filter(({ name }) => !(name in REFUSED))
  test.each(fixtures.map(({ name, request }) => [name, request] as const))('%s', (_name, body) => {
    const { request } = convertChatRequest(body, CONTEXT)
    expect(acceptedBy(request)).toBe(true)
    const sent = JSON.stringify(request)
    for (const text of textsIn(body?.messages)) expect(sent).toContain(JSON.stringify(text).slice(1, -1))
  })
})

test.each(Object.entries(REFUSED))('the recorded request %s is refused at %s', (name, param) => {
  expect(refusalOf(() => convertChatRequest(loadFixture(name).request, CONTEXT)).param).toBe(param)
})

const REFUSED_SCHEMA = 'error-resp-400-schema-json'

test('a recorded Responses request with a schema that upstream refuses is left for upstream to refuse', () => {
  const { request } = convertResponses(loadFixture(REFUSED_SCHEMA).request)
  const { code, param } = recordedBody(REFUSED_SCHEMA).error as JsonObject
  expect(acceptedBy(request)).toMatchObject({ error: { code, param } })
})

describe('a recorded Responses request is made what the backend takes, and no text is lost', () => {
  const fixtures = recorded('responses').filter(
    ({ name, request }) => request?.previous_response_id === undefined && name !== REFUSED_SCHEMA,
  )
  test.each(fixtures.map(({ name, request }) => [name, request] as const))('%s', (_name, body) => {
    const { request } = convertResponses(body)
    expect(acceptedBy(request)).toBe(true)
    const sent = JSON.stringify(request)
    for (const text of textsIn(body?.input)) expect(sent).toContain(JSON.stringify(text).slice(1, -1))
  })
})
