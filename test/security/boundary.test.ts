import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { apiKeyAuth } from '../support/auth-files.ts'
import { listenOnLoopback } from '../support/loopback.ts'
import { CHAT } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { firstAnswer, sendRaw } from './raw-connection.ts'

/** Somebody else's server: whatever reaches it was sent to the wrong host. */
let elsewhere: Server
let elsewhereUrl: string
let strayed: string[]
let stage: Stage
let earlierCalls: number

beforeAll(async () => {
  elsewhere = createServer((request, response) => {
    strayed.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`)
    response.end('{}')
  })
  elsewhereUrl = `http://127.0.0.1:${await listenOnLoopback(elsewhere)}`
})

afterAll(() => {
  elsewhere.closeAllConnections()
  elsewhere.close()
})

beforeEach(() => {
  strayed = []
  earlierCalls = stage.upstream.calls().length
})

function callsOfThisTest() {
  return stage.upstream.calls().slice(earlierCalls)
}

describe('with an API key, where the most is passed through', () => {
  beforeAll(async () => {
    stage = await startStage({ auth: apiKeyAuth('sk-the-login') })
  })

  afterAll(async () => {
    await stage.close()
  })

  test.each([
    ['an absolute URL', (away: string) => [`${away}/v1/files`, '']],
    ['an absolute URL and our own Host', (away: string) => [`${away}/v1/files`, 'Host: localhost']],
    ['a Host header', (away: string) => ['/v1/files', `Host: ${away.slice(7)}`]],
    ['X-Forwarded-Host', (away: string) => ['/v1/files', `Host: localhost\r\nX-Forwarded-Host: ${away.slice(7)}`]],
    ['Forwarded', (away: string) => ['/v1/files', `Host: localhost\r\nForwarded: host=${away.slice(7)}`]],
    ['two slashes', (away: string) => [`//${away.slice(7)}/v1/files`, 'Host: localhost']],
    ['a URL within the path', (away: string) => [`/v1/${away}/x`, 'Host: localhost']],
    ['a path that begins like a host', (away: string) => [`/v1//${away.slice(7)}/x`, 'Host: localhost']],
    ['an at sign', (away: string) => [`/v1@${away.slice(7)}/x`, 'Host: localhost']],
    ['dots', () => ['/v1/../../elsewhere', 'Host: localhost']],
    ['dots between backslashes', () => ['/v1/files\\..\\..\\elsewhere', 'Host: localhost']],
    ['encoded dots', () => ['/v1/%2e%2e/%2e%2e/elsewhere', 'Host: localhost']],
    ['backslashes', (away: string) => [`/v1/\\\\${away.slice(7)}\\x`, 'Host: localhost']],
  ])('%s chooses no other host', async (_what, request) => {
    const [target, headers] = request(elsewhereUrl)
    const hostHeader = headers === '' ? `Host: ${elsewhereUrl.slice(7)}` : headers
    await sendRaw(stage.proxy.url, `GET ${target} HTTP/1.1\r\n${hostHeader}\r\nConnection: close\r\n\r\n`)
    expect(strayed).toEqual([])
    // Resolved as upstream may do it.
    for (const { path } of callsOfThisTest()) expect(new URL(path, elsewhereUrl).pathname).toMatch(/^\/v1\//)
  })

  test.each([
    ['GET http://evil.example/v1/files HTTP/1.1\r\nHost: localhost', 403],
    ['GET http://localhost/v1/files HTTP/1.1\r\nHost: evil.example', 200],
    ['GET /v1/files HTTP/1.1', 403],
    ['GET /v1/files HTTP/1.0', 403],
    ['GET /v1/files HTTP/1.0\r\nHost: localhost', 200],
    ['GET /health HTTP/1.1\r\nHost: evil.example', 403],
    ['GET /health HTTP/1.0', 200],
    ['GET /metrics HTTP/1.0', 403],
    ['GET /nothing/here HTTP/1.1\r\nHost: evil.example', 403],
    ['GET /v1/files HTTP/1.1\r\nHost: evil.example\r\nHost: localhost', 403],
  ])('%j is answered %d, by the host it is for', async (head, status) => {
    const answer = firstAnswer(await sendRaw(stage.proxy.url, `${head}\r\nConnection: close\r\n\r\n`))
    expect(answer.status).toBe(status)
    if (status === 403) expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'host_not_allowed' } })
  })

  test('no CONNECT opens a way to anywhere', async () => {
    const away = elsewhereUrl.slice(7)
    const answer = await sendRaw(
      stage.proxy.url,
      `CONNECT ${away} HTTP/1.1\r\nHost: ${away}\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
    )
    expect(firstAnswer(answer).status).not.toBe(200)
    expect(strayed).toEqual([])
  })

  test('what the client says about itself and its network stays here, and the login is our own', async () => {
    const secrets = {
      authorization: 'Bearer sk-of-the-client',
      'x-api-key': 'sk-of-the-client',
      cookie: 'session=of-the-client',
      'chatgpt-account-id': 'of-the-client',
      'x-openai-internal-codex-responses-lite': 'of-the-client',
      'x-forwarded-for': 'of-the-client',
      'x-real-ip': 'of-the-client',
      forwarded: 'for=of-the-client',
      via: '1.1 of-the-client',
      referer: 'http://localhost/of-the-client',
      'cf-connecting-ip': 'of-the-client',
    }
    const answer = await stage.send('/v1/files', { headers: { ...secrets, 'openai-beta': 'assistants=v2' } })
    expect(answer.status).toBe(200)
    const [call] = callsOfThisTest()
    expect(JSON.stringify(call?.headers)).not.toContain('of-the-client')
    expect(call?.headers).toMatchObject({ authorization: 'Bearer sk-the-login', 'openai-beta': 'assistants=v2' })
  })

  test('a header named in Connection goes no further', async () => {
    const head = 'Host: localhost\r\nAccept-Language: of-the-client\r\nConnection: close, accept-language'
    await sendRaw(stage.proxy.url, `GET /v1/files HTTP/1.1\r\n${head}\r\n\r\n`)
    expect(callsOfThisTest()).toHaveLength(1)
    expect(JSON.stringify(callsOfThisTest()[0]?.headers)).not.toContain('of-the-client')
  })

  test('cookies, CDN and CORS headers of upstream do not come back', async () => {
    stage.upstream.enqueue({
      status: 200,
      headers: {
        'set-cookie': '__cf_bm=of-upstream',
        server: 'of-upstream',
        'cf-ray': 'of-upstream',
        'alt-svc': 'h3=":443"; of-upstream',
        'strict-transport-security': 'max-age=1; of-upstream',
        'access-control-allow-origin': '*',
        'x-ratelimit-remaining-requests': '9',
      },
      body: {},
    })
    const { headers } = await stage.send('/v1/files')
    expect(JSON.stringify([...headers])).not.toContain('of-upstream')
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('9')
  })

  test('a redirect is not followed, least of all with the login', async () => {
    const redirect = { status: 302, headers: { location: `${elsewhereUrl}/v1/files` }, body: {} }
    const post = (json: object) => ({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(json),
    })
    const attempts = [
      ['/v1/files', {}],
      ['/v1/models', {}],
      ['/v1/chat/completions', post(CHAT)],
      ['/v1/responses', post({ model: 'gpt-5.5', input: 'Hi' })],
    ] as const
    for (const [path, init] of attempts) {
      stage.upstream.enqueue(redirect)
      expect((await stage.send(path, { ...init, redirect: 'manual' })).status, path).toBeGreaterThanOrEqual(300)
    }
    expect(callsOfThisTest()).toHaveLength(attempts.length)
    expect(strayed).toEqual([])
  })
})

describe('with a ChatGPT login', () => {
  beforeAll(async () => {
    stage = await startStage()
  })

  afterAll(async () => {
    await stage.close()
  })

  test.each(['/v1/chat/completions', '/v1/responses'])(
    '%s sends our identity and nothing of the client',
    async (path) => {
      const body = JSON.stringify(path.endsWith('responses') ? { model: 'gpt-5.5', input: 'Hello' } : CHAT)
      const headers = {
        'content-type': 'application/json',
        authorization: 'Bearer of-the-client',
        'x-api-key': 'of-the-client',
        cookie: 'of-the-client',
        'chatgpt-account-id': 'of-the-client',
        originator: 'of-the-client',
        'user-agent': 'of-the-client',
        'accept-encoding': 'of-the-client',
        'x-openai-internal-codex-residency': 'of-the-client',
        'x-openai-fedramp': 'of-the-client',
        'x-forwarded-for': 'of-the-client',
      }
      expect((await stage.send(path, { method: 'POST', body, headers })).status).toBe(200)
      const [call] = callsOfThisTest()
      expect(JSON.stringify(call?.headers)).not.toContain('of-the-client')
      expect(call?.headers).toMatchObject({ originator: 'codex-api-proxy', 'accept-encoding': 'identity' })
    },
  )

  test('a redirect is an error for the client, and goes nowhere', async () => {
    const location = `${elsewhereUrl}/backend-api/codex/responses`
    const redirect = { status: 307, headers: { location }, body: {} }
    stage.upstream.enqueue(redirect, redirect)
    expect((await stage.post('/v1/chat/completions', CHAT)).status).toBe(502)
    expect((await stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Hi' })).status).toBe(502)
    expect(strayed).toEqual([])
  })

  test.each(['/v1/chat/completions', '/v1/responses'])('cookies of upstream do not come back by %s', async (path) => {
    const body = path.endsWith('responses') ? { model: 'gpt-5.5', input: 'Hello' } : CHAT
    for (const stream of [false, true]) {
      stage.upstream.enqueue({
        fixture: 'chatgpt-text-stream',
        headers: { 'set-cookie': '__cf_bm=of-upstream', 'cf-ray': 'of-upstream', 'access-control-allow-origin': '*' },
      })
      const answer = await stage.post(path, { ...body, stream })
      expect(answer.status).toBe(200)
      expect(JSON.stringify([...answer.headers])).not.toContain('of-upstream')
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
      await answer.text()
    }
  })
})
