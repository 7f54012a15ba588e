import { spawnSync } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiKeyAuth } from '../support/auth-files.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { listenOnLoopback } from '../support/loopback.ts'
import { createHome, type Home, PROGRAM, run, started, withoutProgress } from '../support/program.ts'

// The server in the background works in another folder than the command that started it.

let home: Home
beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(apiKeyAuth())
})
afterEach(() => home.remove())

test('with a relative HOME the server and the commands mean the same folder', async () => {
  const command = (...args: string[]) => run(args, { home, env: { HOME: '.' } })
  const { pid } = started(await command('start', '--port', '0'))
  try {
    expect((await command('status')).stdout).toContain(`(process ${pid})`)
    expect((await run(['status'], { home })).stdout).toContain(`(process ${pid})`)
    expect((await command('stop')).stdout).toBe(`Stopped process ${pid}.\n`)
  } catch (error) {
    process.kill(pid, 'SIGKILL')
    throw error
  }
})

test('from a folder that was deleted the server starts, is found and stops', async () => {
  const gone = await mkdtemp(join(home.path, 'gone-'))
  const script = 'rmdir "$PWD"; "$0" "$1" status; "$0" "$1" start; "$0" "$1" status; "$0" "$1" stop; "$0" "$1" status'
  const said = spawnSync('sh', ['-c', script, process.execPath, PROGRAM], {
    cwd: gone,
    env: { ...home.env },
    encoding: 'utf8',
  })
  const { status, stdout, stderr } = withoutProgress(said)
  const url = 'http://127\\.0\\.0\\.1:\\d+/v1'
  expect(stdout).toMatch(
    new RegExp(
      `^Not running\\.\nStarted: ${url} \\(process \\d+\\)\nRunning: ${url} .*\nStopped process \\d+\\.\nNot running\\.\n$`,
    ),
  )
  expect([status, stderr]).toEqual([3, ''])
})

const VARIABLES = ['SSL_CERT_FILE', 'CODEX_CA_CERTIFICATE', 'NODE_EXTRA_CA_CERTS']

test.each(VARIABLES)('a relative path in %s is trusted in the background as in the foreground', async (variable) => {
  const certificate = selfSignedCertificate()
  await writeFile(join(home.path, 'ca.pem'), certificate.cert)
  const asked: (string | undefined)[] = []
  const upstream = createServer(certificate, ({ url }, response) => {
    asked.push(url)
    response.end('{}')
  })
  const port = await listenOnLoopback(upstream)
  const env = {
    [variable]: 'ca.pem',
    CODEX_API_PROXY_OPENAI_BASE_URL: `https://127.0.0.1:${port}/v1`,
    CODEX_API_PROXY_HTTPS_PROXY: 'none',
  }
  try {
    const { url } = started(await run(['start', '--port', '0'], { home, env }))
    await fetch(`${url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5.5', input: 'Hello' }),
    })
    expect(asked).toContain('/v1/responses')
  } finally {
    upstream.close()
  }
})

test.runIf(process.platform === 'linux')('a service gets the paths of certificates absolute', async () => {
  const env = { ...Object.fromEntries(VARIABLES.map((name) => [name, 'ca.pem'])), SSL_CERT_DIR: 'certs:/etc/certs' }
  const { stdout } = await run(['service', 'install', '--print'], { home, env })
  for (const name of VARIABLES) expect(stdout).toContain(`Environment="${name}=${join(home.path, 'ca.pem')}"\n`)
  expect(stdout).toContain(`Environment="SSL_CERT_DIR=${join(home.path, 'certs')}:/etc/certs"\n`)
})
