import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requestLines } from '../support/log-lines.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { openBrowser, type PageServer, script, servePages, serveReboundName } from './browser.ts'

const CHAT = JSON.stringify({ model: 'gpt-5.5', messages: [{ role: 'user', content: 'Spend my quota' }] })
const SIMPLE_POST = { method: 'POST', body: CHAT }
const JSON_POST = { ...SIMPLE_POST, headers: { 'content-type': 'application/json', 'x-stainless-os': 'Linux' } }

const NOTHING = { error: expect.stringContaining('Failed to fetch') }
const OPAQUE = expect.objectContaining({ type: 'opaque', status: 0, body: '' })

let browser: Browser
let pages: PageServer
let stage: Stage
/** Pages of `app.example` are allowed, those of `evil.example` are not. */
let evil: string
let app: string
let chatUrl: string
let page: Page
let earlierRefusals: number
let earlierCalls: number

beforeAll(async () => {
  ;[browser, pages] = await Promise.all([openBrowser(), servePages()])
  evil = `http://evil.example:${pages.port}`
  app = `http://app.example:${pages.port}`
  stage = await startStage({ args: ['--log-level', 'info', '--allow-origin', app] })
  chatUrl = `${stage.proxy.url}/v1/chat/completions`
})

afterAll(async () => {
  await stage?.close()
  await browser?.close()
  await pages?.close()
})

beforeEach(async () => {
  page = await browser.newPage()
  await allLogged()
  earlierRefusals = refusals().length
  earlierCalls = stage.upstream.calls().length
})

afterEach(async () => {
  await page.close()
})

/** The code of every refusal the proxy has logged so far. */
function refusals(): string[] {
  return [...stage.proxy.output().matchAll(/\b(?:host|origin)_not_allowed\b/g)].map(([code]) => code)
}

/** Resolves when every request that came so far has its line in the log, which is written some time after its answer. */
async function allLogged(): Promise<void> {
  const missing = async () => {
    const { requests_total } = await stage.metrics()
    return Number(requests_total) - requestLines(stage.proxy).length
  }
  await expect.poll(missing).toBe(0)
}

function callsOfThisTest() {
  return stage.upstream.calls().slice(earlierCalls)
}

/** The request did reach the proxy, which refused it; the log line is written when it is done with the connection. */
async function expectRefused(code: string): Promise<void> {
  while (refusals().length === earlierRefusals) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(new Set(refusals().slice(earlierRefusals))).toEqual(new Set([code]))
  expect(callsOfThisTest()).toEqual([])
}

describe('a page on another origin', () => {
  beforeEach(async () => {
    await page.goto(evil)
  })

  test('gets nothing by a simple POST', async () => {
    expect(await script(page, 'read', chatUrl, SIMPLE_POST)).toEqual(NOTHING)
    expect(await script(page, 'read', chatUrl, { ...SIMPLE_POST, mode: 'no-cors' })).toEqual(OPAQUE)
    await expectRefused('origin_not_allowed')
  })

  test('gets nothing by a preflighted POST', async () => {
    expect(await script(page, 'read', chatUrl, JSON_POST)).toEqual(NOTHING)
    await expectRefused('origin_not_allowed')
  })

  test.each([
    ['text/plain', '/v1/chat/completions'],
    ['application/x-www-form-urlencoded', '/v1/chat/completions'],
    ['multipart/form-data', '/v1/chat/completions'],
    ['multipart/form-data', '/v1/images/edits'],
  ])('gets nothing by a form of type %s to %s', async (type, path) => {
    const answered = page.waitForResponse((response) => response.request().method() === 'POST')
    await script(page, 'submitForm', stage.proxy.url + path, type, CHAT)
    expect((await answered).status()).toBe(403)
    await expectRefused('origin_not_allowed')
  })

  test('gets no WebSocket', async () => {
    const url = `${stage.proxy.url.replace('http', 'ws')}/v1/responses`
    expect(await script(page, 'openSocket', url)).toBe('refused')
    await expectRefused('origin_not_allowed')
  })

  test('reads nothing by GET, script, image or event stream', async () => {
    const url = `${stage.proxy.url}/v1/models`
    expect(await script(page, 'read', url)).toEqual(NOTHING)
    expect(await script(page, 'load', 'script', url)).toBe('refused')
    expect(await script(page, 'load', 'img', url)).toBe('refused')
    expect(await script(page, 'listen', url)).toBe('refused')
    await expectRefused('origin_not_allowed')
  })

  test('learns nothing from health and metrics', async () => {
    for (const path of ['/health', '/ready', '/metrics', '/']) {
      expect(await script(page, 'read', stage.proxy.url + path), path).toEqual(NOTHING)
    }
  })

  test('gets nothing out of a sandboxed frame, whose origin is null', async () => {
    expect(await script(page, 'readFromFrame', chatUrl, JSON_POST)).toBe('refused')
    await expectRefused('origin_not_allowed')
  })

  test('gets nothing by a beacon', async () => {
    await script(page, 'beacon', chatUrl, CHAT)
    await expectRefused('origin_not_allowed')
  })

  test('gets nothing under another port of the same host', async () => {
    await page.goto(`http://127.0.0.1:${pages.port}`)
    expect(await script(page, 'read', chatUrl, JSON_POST)).toEqual(NOTHING)
    expect(await script(page, 'read', chatUrl, { ...SIMPLE_POST, mode: 'no-cors' })).toEqual(OPAQUE)
    await expectRefused('origin_not_allowed')
  })
})

test('a page whose name is rebound to the proxy gets nothing', async () => {
  const name = await serveReboundName(stage.proxy.url)
  const origin = `http://rebound.example:${name.port}`
  await page.goto(origin)
  name.rebind()
  const attempts = [
    ['/v1/chat/completions', JSON_POST],
    ['/v1/responses', JSON_POST],
    ['/v1/models', {}],
    ['/health', {}],
    ['/metrics', {}],
  ] as const
  for (const [path, options] of attempts) {
    expect(await script(page, 'read', origin + path, options), path).toMatchObject({
      type: 'basic',
      status: 403,
      body: expect.stringContaining('host_not_allowed'),
    })
  }
  await expectRefused('host_not_allowed')
  await name.close()
})

describe('a page of an allowed origin', () => {
  beforeEach(async () => {
    await page.goto(app)
  })

  test('sends and reads what any client does', async () => {
    expect(await script(page, 'read', chatUrl, JSON_POST)).toMatchObject({
      type: 'cors',
      status: 200,
      requestId: expect.any(String),
      body: expect.stringContaining('chat.completion'),
    })
    expect(await script(page, 'read', `${stage.proxy.url}/v1/models`)).toMatchObject({ type: 'cors', status: 200 })
    expect(callsOfThisTest()).toHaveLength(1)
  })

  test('reads streams and errors too', async () => {
    const stream = { ...JSON_POST, body: CHAT.replace('{', '{"stream":true,') }
    expect(await script(page, 'read', chatUrl, stream)).toMatchObject({
      status: 200,
      body: expect.stringContaining('[DONE]'),
    })
    expect(await script(page, 'read', chatUrl, { ...JSON_POST, body: '{' })).toMatchObject({
      status: 400,
      requestId: expect.stringMatching(/^req_/),
      body: expect.stringContaining('invalid_json'),
    })
  })

  test('must declare JSON like everybody', async () => {
    expect(await script(page, 'read', chatUrl, SIMPLE_POST)).toMatchObject({ status: 415 })
    expect(callsOfThisTest()).toEqual([])
  })
})

/** What Electron does with pages that are files, and apps such as Chatbox with their web security. */
describe.each([
  ['that is a file names its origin, file://', '--allow-file-access-from-files'],
  ['without web security names no origin', '--disable-web-security'],
])('a page of an app %s', (_what, flag) => {
  let shell: Browser
  let fromFile: Page

  beforeAll(async () => {
    shell = await openBrowser(flag)
    fromFile = await shell.newPage()
    await fromFile.goto(new URL('page.html', import.meta.url).href)
  })

  afterAll(() => shell?.close())

  test('gets nothing as long as files are not allowed', async () => {
    const answer = await script(fromFile, 'read', chatUrl, JSON_POST)
    const isReadable = flag === '--disable-web-security'
    expect(answer).toEqual(isReadable ? expect.objectContaining({ status: 403 }) : NOTHING)
    await expectRefused('origin_not_allowed')
  })

  test('does what any client does once they are', async () => {
    const open = await startStage({ args: ['--allow-origin', 'file://'] })
    try {
      const answer = await script(fromFile, 'read', `${open.proxy.url}/v1/chat/completions`, JSON_POST)
      expect(answer).toMatchObject({ status: 200, body: expect.stringContaining('chat.completion') })
      expect(await script(fromFile, 'read', `${open.proxy.url}/v1/models`)).toMatchObject({ status: 200 })
    } finally {
      await open.close()
    }
  })
})
