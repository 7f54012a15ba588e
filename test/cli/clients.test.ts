import { spawn, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { CLIENTS } from '../../src/cli/commands/clients/clients.ts'
import { CLIENT_NAMES } from '../../src/cli/commands.ts'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import { modelEntry } from '../fake-upstream/models.ts'
import type { FakeUpstream } from '../fake-upstream/server.ts'
import { chatgptAuth } from '../support/auth-files.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { type CommandStage, startCommandStage } from '../support/command-stage.ts'
import { LIKE_WINDOWS } from '../support/preloads.ts'
import { createHome, type Home, run, started, startForeground, withoutProgress } from '../support/program.ts'
import { startStage } from '../support/stage.ts'

let stage: CommandStage
let home: Home
let upstream: FakeUpstream
let env: Record<string, string>
let baseUrl: string
beforeAll(async () => {
  stage = await startCommandStage()
  ;({ home, upstream, env } = stage)
  baseUrl = `${started(await run(['start', '--port', '0'], { home, env })).url}/v1`
})
afterAll(() => stage.close())

const command = (...args: string[]) => run(args, { home, env })
const clientText = async (...args: string[]) => (await command('clients', ...args)).stdout

test('clients without a name lists them all', async () => {
  expect(CLIENTS.map(({ name }) => name)).toEqual([...CLIENT_NAMES])
  const { stdout } = await command('clients')
  for (const { name, title } of CLIENTS) expect(stdout).toMatch(new RegExp(`^${name} +${title.slice(0, 10)}`, 'm'))
  expect(JSON.parse((await command('clients', '--json')).stdout)).toHaveLength(CLIENTS.length)
})

test.each(CLIENT_NAMES)('the configuration of %s has the address and a model', async (name) => {
  const { code, stdout, stderr } = withoutProgress(await command('clients', name))
  expect([code, stderr]).toEqual([0, ''])
  // gptel takes an address in its parts.
  expect(stdout).toContain(name === 'gptel' ? `:host "${new URL(baseUrl).host}"` : baseUrl)
  if (name !== 'env' && name !== 'open-webui') expect(stdout).toContain('gpt-6.1-sol')
})

test('what claims to be JSON is, with the models as upstream describes them', async () => {
  const openclaw = JSON.parse(await clientText('openclaw'))
  expect(openclaw.models.providers['codex-api-proxy']).toMatchObject({ baseUrl, api: 'openai-completions' })
  const [model] = openclaw.models.providers['codex-api-proxy'].models
  expect(model).toMatchObject({ id: 'gpt-6.1-sol', name: 'GPT-6.1 Sol', reasoning: true, contextWindow: 272_000 })
  expect(model.compat).toEqual({
    supportsReasoningEffort: true,
    supportedReasoningEfforts: ['low', 'medium', 'high', 'xhigh', 'max', 'ultra'],
  })
  // What version 2 reads leaves the one on npm without a model.
  const opencode = JSON.parse(await clientText('opencode'))
  expect(opencode).toMatchObject({ $schema: 'https://opencode.ai/config.json', model: 'codex-api-proxy/gpt-6.1-sol' })
  expect(opencode.provider['codex-api-proxy'].options.baseURL).toBe(baseUrl)
  const { variants } = opencode.provider['codex-api-proxy'].models['gpt-6.1-sol']
  expect(variants).toMatchObject({ low: { reasoningEffort: 'low' }, xhigh: { reasoningEffort: 'xhigh' } })
  expect(JSON.parse(await clientText('opencode-2')).providers['codex-api-proxy'].settings.baseURL).toBe(baseUrl)
})

test('pi is told which levels of thinking each model has, and that its tokens cost nothing', async () => {
  const { providers } = JSON.parse(await clientText('pi'))
  expect(providers['codex-api-proxy']).toMatchObject({ baseUrl, apiKey: 'unused', api: 'openai-responses' })
  expect(providers['codex-api-proxy'].models[0]).toEqual({
    id: 'gpt-6.1-sol',
    name: 'GPT-6.1 Sol',
    reasoning: true,
    thinkingLevelMap: { minimal: null, low: 'low', medium: 'medium', high: 'high', xhigh: 'xhigh', max: 'max' },
    input: ['text', 'image'],
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow: 272_000,
    maxTokens: 128_000,
  })
  const [, astra] = providers['codex-api-proxy'].models
  expect(astra.thinkingLevelMap).toMatchObject({ low: null, medium: 'medium', max: null })
  const withKey = JSON.parse(await clientText('pi', '--api-key', '!it$!', '--show-key'))
  expect(withKey.providers['codex-api-proxy'].apiKey).toBe('$!it$$!')
})

test('what Aider wants in each of its two files can be pasted as it is', async () => {
  const [, config, metadata = ''] = (await clientText('aider')).split(/^In .*:\n\n/m)
  expect(config).toBe(`model: "openai/gpt-6.1-sol"
openai-api-base: "${baseUrl}"
openai-api-key: "unused"

`)
  expect(JSON.parse(metadata)).toEqual({
    'openai/gpt-6.1-sol': {
      max_input_tokens: 272_000,
      max_output_tokens: 128_000,
      input_cost_per_token: 0,
      output_cost_per_token: 0,
      supports_vision: true,
      litellm_provider: 'openai',
      mode: 'chat',
    },
  })
})

test('Cline is set up in the terminal by the command that is printed', async () => {
  const command = `cline auth openai-compatible --baseurl '${baseUrl}' --apikey 'unused' --modelid 'gpt-6.1-sol'`
  expect((await clientText('cline')).split('\n')).toContain(command)
})

test('llm gets an entry for every model, with what it does as far as the list tells', async () => {
  const entries = (await clientText('llm')).split('- model_id: ').slice(1)
  expect(entries).toHaveLength(4)
  expect(entries[0]).toBe(`"codex-api-proxy/gpt-6.1-sol"
  model_name: "gpt-6.1-sol"
  api_base: "${baseUrl}"
  responses: true
  supports_schema: true
  supports_tools: true
  reasoning: true
  vision: true
`)
})

test('llm is told how to keep a client key where the server asks for one', async () => {
  const args = ['--api-key', "it's"]
  const without = await clientText('llm', ...args)
  expect(without).toMatch(/^# Once: llm keys set codex-api-proxy --value 'YOUR_CLIENT_KEY'\n# Then: llm -m /)
  expect(without.match(/^ {2}api_key_name: codex-api-proxy$/gm)).toHaveLength(without.split('model_name').length - 1)
  expect(await clientText('llm', ...args, '--show-key')).toContain(`--value 'it'\\''s'\n`)
  expect(await clientText('llm')).not.toContain('key')
})

test('gptel gets what it reads: the parts of the address, symbols for models, and which take pictures', async () => {
  const text = await clientText('gptel')
  expect(text).toContain("(setq gptel-model 'gpt-6.1-sol\n")
  expect(text).toContain(':protocol "http"\n')
  expect(text).toContain(':key "unused"\n')
  expect(text).toMatch(
    /:models '\(\(gpt-6\.1-sol :capabilities \(media\) :mime-types \("image\/png" .+"\)\)\n +\(gpt-6-astra /,
  )
  expect(text.split('(')).toHaveLength(text.split(')').length)
})

test('a model that takes text alone is not said to take images', async () => {
  const entry = { slug: 'gpt-text', name: 'Text', priority: 1, since: '0.1.0', efforts: [] }
  const stage = await startStage({ upstream: { models: [{ ...modelEntry(entry), input_modalities: ['text'] }] } })
  onTestFinished(() => stage.close())
  const args = ['--port', new URL(stage.proxy.url).port]
  const textFor = async (client: string) => (await run(['clients', client, ...args], { home: stage.home })).stdout
  expect(await textFor('cline')).toMatch(/^ {2}Supports Images {4}no$/m)
  expect(await textFor('continue')).toMatch(/^ {4}capabilities: \[tool_use\]$/m)
  expect(await textFor('openclaw')).toMatch(/"input": \[\s*"text"\s*\]/)
})

test('what there is for two languages is told apart', async () => {
  expect(await clientText('langchain')).toMatch(/^Python: .+\n\nfrom langchain_openai [\s\S]+\n\nNode: .+\n\nimport \{/)
})

test('of a certificate it is said how clients come to trust it, and that it is for another host', async () => {
  const other = await createHome()
  try {
    const [cert, key] = [join(other.path, 'cert.pem'), join(other.path, 'key.pem')]
    const certificate = selfSignedCertificate()
    await writeFile(cert, certificate.cert)
    await writeFile(key, certificate.key)
    await run(['start', '--port', '0', '--tls-cert', cert, '--tls-key', key], { home: other, env })
    const { code, stdout, stderr } = await run(['clients', 'env'], { home: other, env })
    expect([code, stdout]).toEqual([0, expect.stringContaining('https://127.0.0.1:')])
    expect(stderr).toContain(`NODE_EXTRA_CA_CERTS='${cert}'`)
    expect(stderr).not.toContain('is not for')
    await writeFile(cert, selfSignedCertificate(['192.0.2.1']).cert)
    expect((await run(['clients', 'env'], { home: other, env })).stderr).toContain(
      'The certificate is not for 127.0.0.1: put a name or address that it is for (DNS:localhost, IP Address:192.0.2.1) ' +
        'into the base URL instead.\n',
    )
    await writeFile(cert, 'no certificate')
    expect((await run(['clients', 'env'], { home: other, env })).stderr).not.toContain('NODE_EXTRA_CA_CERTS')
  } finally {
    await other.remove()
  }
})

test('the variables are read by a shell', async () => {
  const script = `${await clientText('env')}\necho "$OPENAI_BASE_URL $OPENAI_API_KEY"`
  expect(spawnSync('sh', ['-c', script], { env: { ...home.env }, encoding: 'utf8' }).stdout).toBe(`${baseUrl} unused\n`)
})

test('what is pasted into a shell works without comments too, as zsh takes it', async () => {
  const pasted = `${await clientText('open-webui')}${await clientText('env')}echo "$OPENAI_API_BASE"\n`
  const input = `docker() { printf '<%s>' "$@"; echo; }\n${pasted}`
  const { stdout } = spawnSync('bash', ['--norc', '-i', '+O', 'interactive_comments'], {
    env: { ...home.env },
    input,
    encoding: 'utf8',
  })
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(new RegExp(`^<run>.*<OPENAI_API_BASE_URL=${baseUrl}>.*<ghcr\\.io/[^>]+>$`)),
    baseUrl,
    '',
  ])
})

test('for PowerShell variables and commands are written as it reads them, on Windows by default', async () => {
  const key = ['--api-key', "it's", '--show-key']
  const lines = (await clientText('env', '--shell', 'powershell', ...key)).split('\n')
  expect(lines.slice(0, 2)).toEqual([`$env:OPENAI_BASE_URL = '${baseUrl}'`, "$env:OPENAI_API_KEY = 'it''s'"])
  expect(await clientText('copilot', '--shell', 'powershell')).toContain("$env:COPILOT_MODEL = 'gpt-6.1-sol'\n")
  expect(await clientText('codex', '--shell', 'powershell', ...key)).toContain("$env:CODEX_PROXY_API_KEY = 'it''s'\n")
  expect(await clientText('cline', '--shell', 'powershell', ...key)).toContain("--apikey 'it''s' ")
  expect(await clientText('open-webui', '--shell', 'powershell')).toMatch(/^ {2}-e OPENAI_API_KEY='unused' `$/m)

  const windows = { NODE_OPTIONS: LIKE_WINDOWS }
  const onWindows = async (env: object) => (await run(['clients', 'env'], { home, env: { ...windows, ...env } })).stdout
  expect(await onWindows({})).toMatch(/^\$env:OPENAI_BASE_URL = '/)
  expect(await onWindows({ SHELL: '/usr/bin/bash' })).toMatch(/^export OPENAI_BASE_URL='/)
})

test('a client is found by its name as others write it', async () => {
  expect(await clientText('OpenClaw')).toBe(await clientText('openclaw'))
})

test('a shell there is not is refused with those there are, which completion offers', async () => {
  expect(await command('clients', 'env', '--shell', 'csh')).toEqual({
    code: 2,
    stdout: '',
    stderr: "codex-api-proxy: option '--shell <name>' argument 'csh' is invalid. Allowed choices are sh, powershell.\n",
  })
  expect((await command('completion', 'bash')).stdout).toContain("--shell) words='sh powershell' ;;")
})

test.each(['openai-node', 'ai-sdk'])('the example for %s runs', async (name) => {
  upstream.enqueue({ events: responseEvents([{ text: 'Hello from the example.' }]) })
  // In this folder its import of the SDK is found.
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const input = await clientText(name, '--model', 'gpt-5.5')
  // Not spawnSync: the fake upstream answers in this process.
  const example = spawn(process.execPath, ['--input-type=module', '-'], { cwd, stdio: ['pipe', 'pipe', 'inherit'] })
  example.stdin.end(input)
  expect(await text(example.stdout)).toBe('Hello from the example.')
  expect(upstream.calls().at(-1)?.json).toMatchObject({ model: 'gpt-5.5' })
})

test('the AI SDK is set up for the Responses API, where a model may think beside tools', async () => {
  expect(await clientText('ai-sdk')).toContain('model: openai.responses("gpt-6.1-sol"),')
})

test('a model there is not is refused with those there are', async () => {
  const { code, stderr } = await command('clients', 'codex', '--model', 'gpt-0')
  expect(code).toBe(1)
  expect(stderr).toMatch(/There is no model gpt-0\. Available: gpt-6\.1-sol, /)
})

test('a client key is filled in only when asked for; without a server a remark says what is missing', async () => {
  const other = await createHome()
  try {
    const args = ['clients', 'env', '--api-key', "it's"]
    const without = await run(args, { home: other })
    expect(without.stdout).toContain("OPENAI_API_KEY='YOUR_CLIENT_KEY'")
    expect(without.stderr).toContain(
      'The server is not running; run `codex-api-proxy start` first to get the models filled in.',
    )
    expect(without.stderr).toContain('--show-key')
    expect((await run([...args, '--show-key'], { home: other })).stdout).toContain("OPENAI_API_KEY='it'\\''s'")
  } finally {
    await other.remove()
  }
})

test('a client key in a file counts too, and one that only the server knows is not said to be unneeded', async () => {
  const other = await createHome()
  await other.writeAuth(chatgptAuth())
  const keyFile = join(other.path, 'key')
  await writeFile(keyFile, 'from-a-file', { mode: 0o600 })
  const textOf = async (...args: string[]) => await run(['clients', 'env', ...args], { home: other, env })
  try {
    const stopped = await textOf('--api-key-file', keyFile)
    expect(stopped.stdout).toContain("OPENAI_API_KEY='YOUR_CLIENT_KEY'")
    expect((await textOf('--api-key-file', keyFile, '--show-key')).stdout).toContain("OPENAI_API_KEY='from-a-file'")

    const server = await startForeground(['--api-key-file', keyFile], { home: other, env })
    const port = ['--port', new URL(server.url).port]
    const unknown = await textOf(...port, '--show-key').finally(() => server.stop())
    expect(unknown.stdout).toContain("OPENAI_API_KEY='YOUR_CLIENT_KEY'")
    expect(unknown.stderr).toContain('only for callers with its client key. Give that key with --api-key-file')
    expect(unknown.stderr).toMatch(/^Replace YOUR_CLIENT_KEY with your client key\.$/m)
  } finally {
    await other.remove()
  }
})
