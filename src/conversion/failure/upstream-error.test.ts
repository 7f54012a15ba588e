import { describe, expect, test } from 'vitest'
import { fixtureNames } from '../../../test/fake-upstream/fixtures.ts'
import { recordedBody } from '../../../test/support/recorded.ts'
import { ERRORS } from '../../error-table.ts'
import { type ApiError, errorBody, ProxyError } from '../../errors.ts'
import { type ErrorRoute, eventError, upstreamError } from './upstream-error.ts'

const NOW = 1_777_922_696_000
const json = (body: unknown) => JSON.stringify(body)

type Told = { status?: number; headers?: Record<string, string>; body?: string; route?: ErrorRoute }

function told({ status = 400, headers = {}, body = '', route = 'chat' }: Told): ApiError {
  return upstreamError({ status, headers, now: NOW }, body, route)
}

const CHALLENGE = '<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>token=abc</body></html>'

describe('forms', () => {
  test.each([
    ['a sentence', { detail: 'Store must be set to false' }, { message: 'Store must be set to false', param: null }],
    [
      'a list',
      { detail: [{ loc: ['body', 'input'], msg: 'Field required', type: 'missing' }] },
      { message: 'Field required', param: 'messages' },
    ],
    [
      'an object',
      { detail: { message: 'Deactivated', code: 'some_code' } },
      { message: 'Deactivated', code: 'some_code' },
    ],
    [
      'a list, which names a field within others',
      { detail: [{ loc: ['body', 'reasoning', 'effort', 0], msg: 'No.' }] },
      { message: 'No.', param: 'reasoning_effort' },
    ],
    ['a list about the whole body', { detail: [{ loc: ['body'], msg: 'No.' }] }, { message: 'No.', param: null }],
    ['an error in detail', { detail: { error: { message: 'No.', code: 'x' } } }, { message: 'No.', code: 'x' }],
    [
      'error',
      { error: { message: 'No.', type: 'invalid_request_error', param: 'model', code: 'x' } },
      { message: 'No.', code: 'x', param: 'model' },
    ],
    ['error as a sentence', { error: 'No.' }, { message: 'No.' }],
    ['flat', { type: 'error', code: 'x', message: 'No.', param: null }, { message: 'No.', code: 'x' }],
  ])('case 157: a body of the form %s is read', (_form, body, expected) => {
    expect(told({ body: json(body) })).toMatchObject({ status: 400, type: 'invalid_request_error', ...expected })
  })

  test.each([
    { type: 'error', status: 429, error: { type: 'usage_limit_reached', message: 'The usage limit has been reached' } },
    {
      type: 'error',
      status_code: 429,
      error: { type: 'usage_limit_reached', message: 'The usage limit has been reached' },
    },
    {
      type: 'response.failed',
      response: { error: { code: 'usage_limit_reached', message: 'The usage limit has been reached' } },
    },
  ])('case 157: an event of the form %j is read', (event) => {
    expect(eventError(event, 'chat')).toMatchObject({
      status: 429,
      code: 'usage_limit_reached',
      type: 'usage_limit_reached',
      message: 'The usage limit has been reached',
    })
  })

  test.each([
    null,
    'text',
    {},
    { type: 'response.completed', response: { status: 'completed' } },
    { type: 'response.completed' },
    { type: 'response.done', response: null },
    { type: 'response.incomplete', response: {} },
  ])('%j is no failure', (event) => {
    expect(eventError(event, 'chat')).toBeUndefined()
  })

  test.each(['response.done', 'response.completed'])('a %s that failed is a failure', (type) => {
    const response = { status: 'failed', error: { code: 'server_error', message: 'Sorry.' } }
    expect(eventError({ type, response }, 'chat')).toMatchObject({ status: 502, code: 'server_error' })
  })

  test.each(['status', 'status_code'])('case 157: an event may tell the status in %s', (field) => {
    const event = { type: 'error', [field]: 413, error: { message: 'Too large.' } }
    expect(eventError(event, 'chat')).toMatchObject({ status: 413, message: 'Too large.' })
  })

  test('case 157: an error that tells nothing but its code is that', () => {
    expect(told({ status: 500, body: json({ error: { code: 'slow_down' } }) })).toMatchObject({
      status: 503,
      code: 'slow_down',
      message: 'Upstream failed without saying why, with the code slow_down.',
    })
    const long = json({ error: { code: 'c'.repeat(65) } })
    expect(told({ body: long }).message).toBe(`Upstream failed without saying why, with the code ${'c'.repeat(64)}.`)
    const empty = { type: 'response.failed', response: {} }
    expect(eventError(empty, 'chat')?.message).toBe(
      'Upstream failed without saying why. You can retry your request in a moment.',
    )
  })

  test.each([
    [402, 'deactivated_workspace', 'The ChatGPT workspace of this login is deactivated.'],
    [403, 'invalid_workspace_selected', 'This login may not use its ChatGPT workspace.'],
    [
      403,
      'codex_workspace_access_denied',
      'Codex is not allowed in the ChatGPT workspace of this login: ask its administrator.',
    ],
  ])('a %i %s, of which upstream tells the code alone, says what it means and what to do', (status, code, meaning) => {
    expect(told({ status, body: json({ detail: { code } }) })).toMatchObject({
      status,
      code,
      message: `${meaning} Sign in again with \`codex login\` and choose another one.`,
    })
    expect(told({ status, body: json({ detail: { code, message: 'Gone.' } }) }).message).toBe('Gone.')
  })

  test.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [402, 'invalid_request_error'],
    [403, 'permission_error'],
    [404, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [499, 'invalid_request_error'],
    [500, 'server_error'],
  ])('case 156: a %i that tells no type has the type %s', (status, type) => {
    expect(told({ status, body: json({ detail: 'No.' }) })).toMatchObject({ status, type })
  })

  test('case 156: every error has the one shape', () => {
    for (const error of [
      told({ body: json({ detail: 'No.' }) }),
      told({ status: 502 }),
      told({ body: json({ detail: 'Model not found' }) }),
    ]) {
      expect(Object.keys(errorBody(error).error)).toEqual(['message', 'type', 'param', 'code'])
    }
  })
})

const RECORDED = fixtureNames().filter((name) => name.startsWith('error-resp-'))

test.each(RECORDED)('%s stays what it is on the Responses route', (name) => {
  const { error } = recordedBody(name) as { error: Record<string, unknown> }
  const status = Number(/-(\d{3})-/.exec(name)?.[1])
  const result = told({ status, body: json({ error }), route: 'responses' })
  const { message, type, param, code } = error
  expect([result.status, errorBody(result)]).toEqual([status, { error: { message, type, param, code } }])
})

describe('an answer that is no API error', () => {
  test.each([
    [403, { 'cf-mitigated': 'challenge', 'cf-ray': '8e1225a16c283d93-SIN' }, CHALLENGE],
    [403, { 'cf-ray': '8e1225a16c283d93-SIN' }, CHALLENGE],
    [503, { 'cf-mitigated': 'challenge', 'cf-ray': '8e1225a16c283d93-SIN' }, CHALLENGE],
  ])(
    'case 158: a challenge page with %i is upstream_blocked, with the ray and without the page',
    (status, headers, body) => {
      const error = told({ status, headers, body })
      expect(error).toMatchObject({ status: 502, code: 'upstream_blocked' })
      expect(error.message).toContain('8e1225a16c283d93-SIN')
      expect(errorBody(error).error.message).not.toMatch(/[<>]|token|codex login/)
    },
  )

  test('a body that is too large is told in the words by which agents know that they have to shorten it', () => {
    expect(told({ status: 413, body: CHALLENGE }).message).toMatch(/request entity too large/i)
  })

  test('a body that is too large says what to do when it is told in words too, unless upstream has a code for it', () => {
    const error = told({ status: 413, body: json({ detail: 'Request body is too large' }) })
    expect(error).toMatchObject({ status: 413, code: 'upstream_body_limit' })
    expect(errorBody(error).error.message).toMatch(/^Request body is too large\. Shorten the conversation/)
    const coded = told({ status: 413, body: json({ error: { message: 'Too large.', code: 'file_too_large' } }) })
    expect(coded).toMatchObject({ status: 413, code: 'file_too_large', message: 'Too large.' })
  })

  test.each([
    [429, { 'retry-after': '7' }],
    [503, { 'retry-after': '7' }],
    [500, {}],
  ])('a %i says when to try again where upstream does, if waiting helps', (status, headers) => {
    expect(told({ status, headers: { 'retry-after': '7' } }).headers).toEqual(headers)
  })

  test.each(['', '<!-- blocked -->\n\n'])('a page given as a message is none, also after %j', (before) => {
    expect(told({ status: 500, body: json({ detail: before + CHALLENGE }) }).message).toBe(
      `Upstream answered 500 with a body that is not an API error. ${ERRORS.upstream_error.remedy}`,
    )
  })

  test.each([
    ['Too large', 'Too large.'],
    ['Too large.', 'Too large.'],
    ['Too large!', 'Too large!'],
    ['Too large?', 'Too large?'],
    ['No room for gpt-5.5', 'No room for gpt-5.5.'],
  ])('what to do follows a whole sentence: %j', (detail, sentence) => {
    const { message } = errorBody(told({ status: 413, body: json({ detail }) })).error
    expect(message).toBe(`${sentence} ${ERRORS.upstream_body_limit.remedy}`)
  })

  test.each([
    [400, '', 400, null],
    [401, '', 401, 'upstream_rejected_credentials'],
    [404, '', 404, null],
    [413, '', 413, 'upstream_body_limit'],
    [413, CHALLENGE, 413, 'upstream_body_limit'],
    [429, 'slow down', 429, null],
    [499, '', 499, null],
    [500, CHALLENGE, 500, 'upstream_error'],
    [503, '', 503, 'upstream_error'],
    [519, '', 519, 'upstream_error'],
    [520, CHALLENGE, 502, 'upstream_error'],
    [302, '', 502, 'upstream_invalid'],
    [399, '', 502, 'upstream_invalid'],
  ])('a bare %i with body %j becomes %i, code %s', (status, body, expected, code) => {
    const error = told({ status, body })
    expect(error).toMatchObject({ status: expected, code })
    expect(error.message).toContain(status === 401 ? 'refused the credentials' : String(status))
    expect(error.message).not.toContain('<')
  })

  test('a redirect is named with its place, but not with what only the gateway should know', () => {
    const error = told({ status: 302, headers: { location: 'https://login.example/saml?request=of-the-user#top' } })
    expect(error).toMatchObject({ status: 502, code: 'upstream_blocked' })
    expect(error.message).toBe(
      'Something in front of upstream answered 302, a redirect to https://login.example/saml, which the proxy does not follow.',
    )
  })

  test.each([400, 500])('a %i is no redirect, whatever place it names', (status) => {
    expect(told({ status, headers: { location: 'https://login.example/' } })).toEqual(told({ status }))
  })

  test.each([400, 404, 499])('a bare %i says what to do', (status) => {
    expect(told({ status }).message).toMatch(
      /again in a moment; if it is refused again, check .* `codex-api-proxy doctor`/,
    )
  })

  test.each([
    [' \r\n', 'nothing'],
    [CHALLENGE, 'a web page'],
    ['Bad gateway', 'a body that is not an API error'],
  ])('the body %j is named, not shown', (body, name) => {
    expect(told({ status: 502, body }).message).toBe(
      `Upstream answered 502 with ${name}. ${ERRORS.upstream_error.remedy}`,
    )
  })

  test.each(['', 'Slow down.'])(
    'a limit whose end only the headers tell, as a time of day, is told with the body %j too',
    (body) => {
      const headers = { 'x-codex-primary-used-percent': '100', 'x-codex-primary-reset-at': String(NOW / 1000 + 90) }
      expect(told({ status: 429, headers, body }).headers).toMatchObject({ 'retry-after': '90' })
    },
  )

  test.each(['<b>', '<b>a', 'a<b>'])('a ray that is none is not shown: %s', (ray) => {
    expect(told({ status: 502, headers: { 'cf-ray': ray } }).message).toBe(
      `Upstream answered 502 with nothing. ${ERRORS.upstream_error.remedy}`,
    )
  })

  test('a message is told without the space around it, and no longer than a person reads', () => {
    expect(told({ body: json({ detail: ' No.\n' }) }).message).toBe('No.')
    expect(told({ body: json({ detail: 'x'.repeat(5000) }) }).message).toBe('x'.repeat(4000))
  })
})

describe('what a client did wrong', () => {
  test('case 159: a 400 stays a 400', () => {
    const error = {
      message: "Invalid schema for function 'f'",
      type: 'invalid_request_error',
      param: 'tools[0].parameters',
      code: 'invalid_function_parameters',
    }
    const result = told({ body: json({ error }) })
    expect(result).toMatchObject({
      status: 400,
      code: 'invalid_function_parameters',
      param: 'tools[0].function.parameters',
    })
  })

  test.each([
    ['input[3].content[0]', 'messages'],
    ['input', 'messages'],
    ['instructions', 'messages'],
    ['text.format', 'response_format'],
    ['text.format.schema', 'response_format.json_schema.schema'],
    ['text.verbosity', 'verbosity'],
    ['reasoning.effort', 'reasoning_effort'],
    ['tools[2].name', 'tools[2].function.name'],
    ['tool_choice', 'tool_choice'],
    ['tool_choice.name', 'tool_choice.function.name'],
    ['tools[12].parameters.properties', 'tools[12].function.parameters.properties'],
    ['tools[0].parameters.properties.reasoning.type', 'tools[0].function.parameters.properties.reasoning.type'],
    ['tools[0].filters.text.verbosity', 'tools[0].filters.text.verbosity'],
    ['tools[0].text.format', 'tools[0].text.format'],
    ['tools[0].text.format.schema', 'tools[0].text.format.schema'],
    ['tools[0].instructions', 'tools[0].instructions'],
    ['tools[0].reasoning.effort', 'tools[0].reasoning.effort'],
    ['tools[0].tools[1].name', 'tools[0].tools[1].name'],
    ['other.tool_choice.name', 'other.tool_choice.name'],
  ])('the field %s is %s to a Chat client', (param, name) => {
    const body = json({ error: { message: 'No.', param } })
    expect([told({ body }).param, told({ body, route: 'responses' }).param]).toEqual([name, param])
  })

  test('an unsupported parameter is named', () => {
    expect(told({ body: json({ detail: 'Unsupported parameter: metadata' }) })).toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      param: 'metadata',
    })
  })

  test.each([
    ['an answer', told({ body: json(recordedBody('error-resp-400-context-length-json')) })],
    [
      'a sentence',
      told({ status: 500, body: json({ detail: 'Your input exceeds the context window of this model.' }) }),
    ],
    [
      'an event',
      eventError(
        { type: 'response.failed', response: { error: { code: 'context_length_exceeded', message: 'Too long.' } } },
        'chat',
      ),
    ],
  ])('case 160: context overflow told by %s is 400 context_length_exceeded', (_how, error) => {
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded', type: 'invalid_request_error' })
  })

  test.each([
    "The requested model 'gpt-9' does not exist.",
    "The 'gpt-9' model is not supported when using Codex with a ChatGPT account.",
    'Model not found gpt-9',
  ])('case 163: %s is model_not_found, in the form of the route', (detail) => {
    const body = json({ detail })
    expect(told({ body })).toMatchObject({ status: 404, code: 'model_not_found', param: null })
    expect(told({ body, status: 404, route: 'responses' })).toMatchObject({
      status: 400,
      code: 'model_not_found',
      param: 'model',
    })
    expect(errorBody(told({ body })).error.message).toMatch(
      /[^.]\. Choose a model from `GET \/v1\/models`; .+ `--client-version`\.$/,
    )
  })

  test.each([
    ['THE REQUESTED MODEL DOES NOT EXIST', 'model_not_found'],
    ['This Model is not supported when using codex', 'model_not_found'],
    ['The MODEL requires a newer version of codex', 'client_version_outdated'],
    ['This is more than the Maximum Context Length', 'context_length_exceeded'],
    ['At Capacity', 'server_is_overloaded'],
    ['UNSUPPORTED PARAMETER: metadata', 'unsupported_parameter'],
  ])('%s is known, whichever letters are capitals', (detail, code) => {
    const error = told({ body: json({ detail }) })
    expect(error.code).toBe(code)
    expect(error.param).toBe(code === 'unsupported_parameter' ? 'metadata' : null)
  })

  test.each([
    "The file's model does not exist.",
    'Modelling data was not found.',
    'This is no Unsupported parameter: metadata',
    'The incapacity of this tool is not overloadedness.',
  ])('what only sounds alike has no code: %s', (detail) => {
    expect(told({ body: json({ detail }) })).toMatchObject({ status: 400, code: null, param: null })
  })

  test('a model that wants a newer client says how to get one', () => {
    const detail =
      "The 'gpt-9' model requires a newer version of Codex. Please upgrade to the latest app or CLI and try again."
    const error = told({ body: json({ detail }) })
    expect(error).toMatchObject({ status: 400, code: 'client_version_outdated' })
    expect(errorBody(error).error.message).toContain('--client-version')
    const unstopped = errorBody(told({ body: json({ detail: 'This model requires a newer version of Codex' }) })).error
    expect(unstopped.message).toMatch(/^This model requires a newer version of Codex\. Start/)
  })

  test.each([
    'cyber_policy',
    'bio_policy',
    'invalid_prompt',
    'misalignment_policy_violation',
    'content_policy_violation',
  ])('case 168: %s is a 400 with its code', (code) => {
    const error = { code, message: 'This was flagged.' }
    expect(eventError({ type: 'response.failed', response: { error } }, 'chat')).toMatchObject({
      status: 400,
      code,
      message: 'This was flagged.',
    })
    expect(told({ status: 403, body: json({ error }) })).toMatchObject({ status: 400, code })
  })

  test.each([
    ['access_program_not_enabled', 403, 'permission_error'],
    ['inference_hook_denied', 403, 'permission_error'],
    ['flex_unavailable', 429, 'rate_limit_error'],
    ['organization_usage_limit_exceeded', 429, 'insufficient_quota'],
    ['policy_capacity_unavailable', 503, 'server_error'],
  ])('within a 200 %s has the status by which Codex knows it', (code, status, type) => {
    const event = { type: 'response.failed', response: { error: { code, message: 'No.' } } }
    expect(eventError(event, 'responses')).toMatchObject({ status, type, code, message: 'No.' })
  })

  test('what was blocked is told with all by which Codex can go on, whichever way it came', () => {
    const misalignment = { error_type: 'other', review_target: 'review_1', steer: { message: 'Take care.' } }
    const error = { code: 'misalignment_policy_violation', message: 'This was blocked.', misalignment }
    const failed = eventError({ type: 'response.failed', response: { error } }, 'responses')
    expect(failed && errorBody(failed).error).toMatchObject(error)
    expect(errorBody(told({ body: json({ error }) })).error).toMatchObject(error)
    const odd = errorBody(told({ body: json({ error: { ...error, misalignment: 'yes' } }) })).error
    expect(odd).not.toHaveProperty('misalignment')
  })

  test('case 159: within a 200 an invalid request is a 400', () => {
    const error = { type: 'invalid_request_error', message: 'No.' }
    expect(eventError({ type: 'response.failed', response: { error } }, 'chat')).toMatchObject({ status: 400 })
  })

  test.each(['new_policy', null])('a refusal of the type invalid_request with the code %s is a 400 too', (code) => {
    const error = { type: 'invalid_request', code, message: 'This was flagged.' }
    expect(eventError({ type: 'error', error }, 'chat')).toMatchObject({ status: 400, code })
  })

  test.each([399, 520])('a %i that upstream calls an invalid request is none', (status) => {
    const error = { type: 'invalid_request_error', message: 'No.' }
    expect(told({ status, body: json({ error }) })).toMatchObject({ status: 502, message: 'No.' })
  })

  test('a refused image is a 400', () => {
    const error = { code: 'invalid_image_format', message: 'Not an image.' }
    expect(eventError({ type: 'response.failed', response: { error } }, 'chat')).toMatchObject({
      status: 400,
      code: 'invalid_image_format',
    })
  })

  test('a 401 to a request whose login was taken out on the way gives no advice to sign in', () => {
    const message = 'We got your request, but your ChatGPT login did not make it to this service.'
    const error = told({ status: 401, body: json({ error: { message } }) })
    expect(error).toMatchObject({ status: 502, code: 'upstream_blocked' })
    expect(errorBody(error).error.message).not.toContain('codex login')
  })

  test('a 401 keeps its status and code', () => {
    const error = { message: 'Token expired.', code: 'token_expired' }
    expect(told({ status: 401, body: json({ error }) })).toMatchObject({
      status: 401,
      code: 'token_expired',
      type: 'authentication_error',
    })
  })
})

test('a failure without any explanation is one of ours', () => {
  const error = eventError({ type: 'response.failed', response: {} }, 'chat')
  expect(error).toMatchObject({
    status: 502,
    code: 'upstream_error',
    message: expect.stringMatching(/^Upstream failed without saying why\./),
  })
  expect(error).not.toBeInstanceOf(ProxyError)
})

test('a code that stands in place of a type is no type: that is the one of its status', () => {
  const body = json({ error: { message: 'Slow down.', type: 'slow_down' } })
  expect(told({ status: 503, body })).toMatchObject({ code: 'slow_down', type: 'server_error' })
})
