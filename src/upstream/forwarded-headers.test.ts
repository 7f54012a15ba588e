import { expect, test } from 'vitest'
import {
  answerHeadersForClient,
  conversationHeaders,
  informingHeaders,
  requestHeadersForUpstream,
} from './forwarded-headers.ts'

test('what the API understands goes to upstream', () => {
  const headers = {
    accept: 'text/event-stream',
    'accept-encoding': 'gzip, br',
    'content-type': 'multipart/form-data; boundary=x',
    'content-encoding': 'zstd',
    'idempotency-key': 'k1',
    'openai-organization': 'org',
    'openai-beta': 'assistants=v2',
    'user-agent': 'OpenAI/JS 6',
    'x-stainless-os': 'Linux',
    'x-client-request-id': 'c1',
    'x-of-tomorrow': 'unknown to us',
  }
  expect(requestHeadersForUpstream(headers)).toEqual(headers)
})

test.each([
  'authorization',
  'x-api-key',
  'api-key',
  'proxy-authorization',
  'proxy-connection',
  'cookie',
  'cookie2',
  'host',
  'origin',
  'referer',
  'sec-fetch-site',
  'sec-fetch-mode',
  'sec-ch-ua',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'fly-client-ip',
  'x-envoy-external-address',
  'via',
  'cf-connecting-ip',
  'cf-ray',
  'true-client-ip',
  'access-control-request-method',
  'chatgpt-account-id',
  'originator',
  'x-openai-internal-codex-responses-lite',
  'x-openai-internal-codex-residency',
  'x-openai-fedramp',
  'x-oai-attestation',
  '',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'http2-settings',
])('%s never goes to upstream', (name) => {
  expect(requestHeadersForUpstream({ [name]: 'x', accept: '*/*' })).toEqual({ accept: '*/*' })
})

test('a header named in Connection is for this hop only, both ways', () => {
  const headers = { connection: 'keep-alive, Accept-Language, x-hop', 'accept-language': 'en', accept: '*/*' }
  expect(requestHeadersForUpstream(headers)).toEqual({ accept: '*/*' })
  expect(answerHeadersForClient({ connection: 'X-Hop, close', 'x-hop': '1', 'x-request-id': 'r' })).toEqual({
    'x-request-id': 'r',
  })
})

test('what a client of the API reads comes back, with length and encoding of the bytes', () => {
  const headers = {
    'content-type': 'application/json',
    'content-length': '12',
    'content-encoding': 'gzip',
    'openai-processing-ms': '5',
    'retry-after': '7',
    'x-ratelimit-remaining-requests': '9',
    'x-request-id': 'req_1',
    vary: 'accept-encoding',
  }
  expect(answerHeadersForClient(headers)).toEqual(headers)
})

test('several values stay several', () => {
  // undici gives a list for any header that came more than once; Node's type knows only some.
  const headers = { link: ['<a>', '<b>'] } as Record<string, string[]>
  expect(answerHeadersForClient(headers)).toEqual({ link: ['<a>', '<b>'] })
})

test.each([
  'set-cookie',
  'set-cookie2',
  'server',
  'server-timing',
  'x-powered-by',
  'x-cache',
  'x-served-by',
  'x-envoy-upstream-service-time',
  'via',
  'alt-svc',
  'nel',
  'report-to',
  'reporting-endpoints',
  'strict-transport-security',
  'content-security-policy',
  'content-security-policy-report-only',
  'expect-ct',
  'public-key-pins',
  'service-worker-allowed',
  'cf-ray',
  'cf-cache-status',
  'cf-mitigated',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'clear-site-data',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'transfer-encoding',
  'trailer',
  'upgrade',
])('%s of upstream does not come back', (name) => {
  expect(answerHeadersForClient({ [name]: 'x', 'x-request-id': 'r' })).toEqual({ 'x-request-id': 'r' })
})

test('with a ChatGPT login only what names conversation and turn goes upstream', () => {
  const naming = {
    'session-id': 's',
    'thread-id': 't',
    'x-client-request-id': 'r',
    'x-codex-beta-features': 'b',
    'x-codex-parent-thread-id': 'p',
    'x-codex-turn-state': 'u',
    'x-codex-window-id': 'w',
    'x-openai-subagent': 'review',
  }
  const others = {
    authorization: 'Bearer x',
    cookie: 'a=b',
    'user-agent': 'client',
    'x-openai-internal-codex-responses-lite': 'true',
    'x-openai-subagents': 'x',
    'my-session-id': 'x',
  }
  expect(conversationHeaders({ ...others, ...naming })).toEqual(naming)
})

test('with a ChatGPT login only what informs comes back', () => {
  const informing = {
    'x-request-id': 'req_1',
    'x-oai-request-id': 'req_2',
    'x-models-etag': 'e',
    'x-reasoning-included': 'true',
    'x-codex-primary-used-percent': '9',
    'x-ratelimit-remaining-requests': '1',
    'openai-model': 'gpt-5.5',
  }
  const others = {
    'content-type': 'text/event-stream',
    'set-cookie': ['__cf_bm=x'],
    'cf-ray': 'r',
    'x-codex-credits-balance': '',
    'x-request-ids': 'x',
    'old-openai-model': 'x',
  }
  expect(informingHeaders({ ...others, ...informing })).toEqual(informing)
})
