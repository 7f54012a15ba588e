import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requestLines } from '../support/log-lines.ts'
import { createHome, type Home, run, runInBash } from '../support/program.ts'
import { type Stage, startStage } from '../support/stage.ts'

const KEY = 'local-secret-4711'
const CHAT = JSON.stringify({ model: 'gpt-5.5', messages: [{ role: 'user', content: 'Hello' }] })
const JSON_TYPE = { 'content-type': 'application/json' }

describe('a proxy with a client key', () => {
  let stage: Stage
  let earlierCalls: number

  beforeAll(async () => {
    stage = await startStage({ args: ['--log-level', 'info'], env: { CODEX_PROXY_API_KEY: KEY } })
    await stage.upstream.waitForLookUp()
  })

  afterAll(async () => {
    await stage.close()
  })

  beforeEach(() => {
    earlierCalls = stage.upstream.requests.length
  })

  test.each([
    ['GET', '/v1/models'],
    ['GET', '/v1/models/gpt-5.5'],
    ['POST', '/v1/chat/completions'],
    ['POST', '/v1/responses'],
    ['POST', '/v1/embeddings'],
    ['GET', '/v1/files'],
    ['GET', '/metrics'],
    ['GET', '/nothing/here'],
    ['OPTIONS', '/v1/models'],
    ['DELETE', '/v1/files/x'],
  ])('%s %s asks for it', async (method, path) => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { 'x-api-key': `${KEY}x` }, { cookie: KEY }]) {
      const answer = await stage.send(path, { method, headers: { ...JSON_TYPE, ...headers } })
      expect(answer.status).toBe(401)
      expect(await answer.json()).toMatchObject({ error: { code: 'client_key_invalid' } })
    }
    expect(stage.upstream.requests).toHaveLength(earlierCalls)
  })

  test.each([{ authorization: `Bearer ${KEY}` }, { 'x-api-key': KEY }])('with %j it serves', async (headers) => {
    const answer = await stage.send('/v1/chat/completions', {
      method: 'POST',
      body: CHAT,
      headers: { ...JSON_TYPE, ...headers },
    })
    expect(answer.status).toBe(200)
  })

  test.each(['/health', '/ready'])('%s tells probes without it no more than that the proxy lives', async (path) => {
    const answer = await stage.send(path)
    const text = await answer.text()
    expect(answer.status).toBe(200)
    expect(text).toContain('status')
    expect(text).not.toMatch(/plus|acc1|someone@example\.com|account|plan/i)
  })

  test('the key is nowhere to be read: not in the log or the process list', async () => {
    for (const key of [KEY, `${KEY}-wrong`]) {
      const { headers } = await stage.send('/v1/models', { headers: { authorization: `Bearer ${key}` } })
      const id = headers.get('x-codex-proxy-request-id')
      await expect.poll(() => requestLines(stage.proxy).map(({ requestId }) => requestId)).toContain(id)
    }
    expect(stage.proxy.output()).not.toContain(KEY)
    if (process.platform === 'linux') {
      expect(await readFile(`/proc/${stage.proxy.pid}/cmdline`, 'utf8')).not.toContain(KEY)
    }
  })
})

describe('a proxy in the background with a client key', () => {
  let home: Home

  beforeAll(async () => {
    home = await createHome()
    await writeFile(join(home.path, 'key'), `${KEY}\n`, { mode: 0o600 })
  })

  afterAll(async () => {
    await home.remove()
  })

  test('takes it from a file, and leaves it there', async () => {
    const started = await run(['start', '--port', '0', '--api-key-file', 'key'], { home })
    expect(started.code, started.stderr).toBe(0)
    const status = await run(['status', '--verbose'], { home })
    expect(started.stdout + started.stderr + status.stdout + status.stderr).not.toContain(KEY)
    for (const name of await readdir(home.runFolder)) {
      expect(await readFile(join(home.runFolder, name), 'utf8'), name).not.toContain(KEY)
    }
    const pid = Number.parseInt(await readFile(join(home.runFolder, 'codex-api-proxy.pid'), 'utf8'), 10)
    if (process.platform === 'linux') expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(KEY)
    const [, url = ''] = /(http:\/\/[\d.:]+)/.exec(status.stdout) ?? []
    expect((await fetch(`${url}/metrics`)).status).toBe(401)
    expect((await fetch(`${url}/metrics`, { headers: { 'x-api-key': KEY } })).status).toBe(200)
  })

  test.each(['start --port 0 --state-file other.json --pid-file other.pid', 'service install --print'])(
    'does not take it from a pipe, which could not be read again: %s',
    (words) => {
      const { code, stdout, stderr } = runInBash(`${words} --api-key-file <(echo key)`, home)
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toContain('CODEX_PROXY_API_KEY')
    },
  )
})
