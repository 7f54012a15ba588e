import { spawn, spawnSync } from 'node:child_process'
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { CLIENTS } from '../../src/cli/commands/clients/client-configs.ts'
import { CLIENT_NAMES, COMMANDS, SHELLS } from '../../src/cli/commands.ts'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import { modelEntry } from '../fake-upstream/models.ts'
import { type FakeUpstream, startFakeUpstream } from '../fake-upstream/server.ts'
import { chatgptAuth } from '../support/auth-files.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { listenOnLoopback } from '../support/loopback.ts'
import { createHome, type Home, LIKE_MACOS, PROGRAM, run, startForeground } from '../support/program.ts'
import { startStage } from '../support/stage.ts'

let home: Home
let upstream: FakeUpstream
let env: Record<string, string>
let baseUrl: string
beforeAll(async () => {
  home = await createHome()
  await home.writeAuth(chatgptAuth())
  upstream = await startFakeUpstream()
  env = { CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl }
  const { stdout } = await run(['start', '--port', '0'], { home, env })
  baseUrl = /http:\S+/.exec(stdout)?.[0] ?? ''
})
afterAll(async () => {
  await home.remove()
  await upstream.close()
})

const command = (...args: string[]) => run(args, { home, env })
const clientText = async (...args: string[]) => (await command('clients', ...args)).stdout

test('clients without a name lists them all', async () => {
  expect(CLIENTS.map(({ name }) => name)).toEqual([...CLIENT_NAMES])
  const { stdout } = await command('clients')
  for (const { name, title } of CLIENTS) expect(stdout).toMatch(new RegExp(`^${name} +${title.slice(0, 10)}`, 'm'))
  expect(JSON.parse((await command('clients', '--json')).stdout)).toHaveLength(CLIENTS.length)
})

test.each(CLIENT_NAMES)('the configuration of %s has the address and a model', async (name) => {
  const { code, stdout, stderr } = await command('clients', name)
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
  expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout).toBe(`${baseUrl} unused\n`)
})

test('what is pasted into a shell works without comments too, as zsh takes it', async () => {
  const pasted = `${await clientText('open-webui')}${await clientText('env')}echo "$OPENAI_API_BASE"\n`
  const input = `docker() { printf '<%s>' "$@"; echo; }\n${pasted}`
  const { stdout } = spawnSync('bash', ['--norc', '-i', '+O', 'interactive_comments'], { input, encoding: 'utf8' })
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

  const windows = { NODE_OPTIONS: `--import ${new URL('../support/like-windows.mjs', import.meta.url)}` }
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

test('completion in bash offers commands, their flags, and the choices of a flag', async () => {
  const script = (await command('completion', 'bash')).stdout
  const complete = (...words: string[]) => {
    const line = words.map((word) => `'${word}'`).join(' ')
    const input = `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _codex_api_proxy; echo "\${COMPREPLY[@]}"`
    return spawnSync('bash', ['--norc', '-u'], { input, encoding: 'utf8' }).stdout.trim().split(' ')
  }
  expect(complete('codex-api-proxy', 're')).toEqual(['restart'])
  expect(complete('codex-api-proxy', 'start', '--log-l')).toEqual(['--log-level'])
  expect(complete('codex-api-proxy', 'start', '--log-level', '')).toEqual(['debug', 'info', 'warning', 'error'])
  expect(complete('codex-api-proxy', 'start', '--log-level', '=')).toEqual(['debug', 'info', 'warning', 'error'])
  expect(complete('codex-api-proxy', 'start', '--log-level', '=', 'd')).toEqual(['debug'])
  expect(complete('codex-api-proxy', 'start', '--strict', '=')).toEqual(['true', 'false'])
  expect(complete('codex-api-proxy', 'start', '--strict', '=', 'f')).toEqual(['false'])
  expect(complete('codex-api-proxy', 'start', '--strict', '--fore')).toEqual(['--foreground'])
  expect(complete('codex-api-proxy', 'clients', 'open-')).toEqual(['open-webui'])
  // What has to follow nobody can guess; it is none of the words that may stand elsewhere.
  expect(complete('codex-api-proxy', 'clients', '--model', '')).toEqual([''])
  expect(complete('codex-api-proxy', 'clients', '--show-key', 'open-')).toEqual(['open-webui'])
  expect(complete('codex-api-proxy', 'start', '--tls-cert', '/proc/self/stat')).toContain('/proc/self/status')
})

test('completion in bash offers a file with a space in its name as one', async () => {
  await writeFile(join(home.path, 'my key'), '')
  const script = (await command('completion', 'bash')).stdout
  const call = `COMP_WORDS=(codex-api-proxy start --api-key-file '${home.path}/my'); COMP_CWORD=3; _codex_api_proxy`
  const input = `${script}\n${call}; printf '<%s>' "\${COMPREPLY[@]}"`
  expect(spawnSync('bash', ['--norc'], { input, encoding: 'utf8' }).stdout).toBe(`<${join(home.path, 'my key')}>`)
})

test('completion in zsh offers a value as the next word and behind an equals sign', async () => {
  const { stdout } = await command('completion', 'zsh')
  expect(stdout).toContain("'--log-level=[")
  // Nothing follows this one.
  expect(stdout).toContain("'--strict[")
})

test('completion in fish offers files only where one has to follow', async () => {
  const { stdout } = await command('completion', 'fish')
  expect(stdout).toMatch(/^#.*\ncomplete -c codex-api-proxy -f\n/)
  expect(stdout).toMatch(/ -l tls-cert .* -r -F\n/)
})

test('completion knows every command in each shell', async () => {
  for (const shell of SHELLS) {
    const { code, stdout } = await command('completion', shell)
    expect(code).toBe(0)
    for (const { name, hidden } of COMMANDS) expect(stdout.includes(name), `${name} in ${shell}`).toBe(!hidden)
  }
})

/** A `systemctl` that notes how it was called and ends as told. */
async function fakeManager(folder: string, exit: string): Promise<{ path: string; calls: () => Promise<string> }> {
  await mkdir(folder, { recursive: true })
  const log = join(folder, 'calls')
  await writeFile(log, '')
  for (const name of ['systemctl', 'launchctl']) {
    await writeFile(join(folder, name), `#!/bin/sh\necho "$*" >> '${log}'\n${exit}\n`)
    await chmod(join(folder, name), 0o755)
  }
  return { path: `${folder}:${process.env.PATH}`, calls: () => readFile(log, 'utf8') }
}

/** A home of its own, with a manager in it, and the command as it is there. */
async function serviceStage(exit: string) {
  const other = await createHome()
  onTestFinished(() => other.remove())
  const manager = await fakeManager(join(other.path, 'bin'), exit)
  // Any free port: 8765 may be in use where the tests run.
  const env = { PATH: manager.path, CODEX_PROXY_PORT: '0' }
  const service = (...args: string[]) => run(['service', ...args], { home: other, env })
  return { other, manager, service }
}

const UNIT = '.config/systemd/user/codex-api-proxy.service'

test('service --print shows file and commands and changes nothing', async () => {
  const other = await createHome()
  try {
    const env = { CODEX_CA_CERTIFICATE: '/etc/company.pem', NODE_USE_SYSTEM_CA: '1' }
    const { code, stdout } = await run(['service', 'install', '--print', '--port', '9999'], { home: other, env })
    expect(code).toBe(0)
    expect(stdout).toContain(`# ${join(other.path, UNIT)}\n`)
    expect(stdout).toMatch(/^ExecStart="[^"]+" "[^"]+" start --foreground$/m)
    expect(stdout).toContain('Environment="CODEX_PROXY_PORT=9999"')
    expect(stdout).toContain(`Environment="CODEX_HOME=${other.codexHome}"`)
    expect(stdout).toContain('Environment="CODEX_CA_CERTIFICATE=/etc/company.pem"')
    expect(stdout).toContain('Environment="NODE_USE_SYSTEM_CA=1"')
    expect(stdout).toContain('# systemctl --user enable --now codex-api-proxy.service')
    await expect(stat(join(other.path, '.config'))).rejects.toThrow('ENOENT')
  } finally {
    await other.remove()
  }
})

test('a service names node and the program by paths that outlast an upgrade', async () => {
  const { other } = await serviceStage('exit 0')
  const at = (...path: string[]) => join(other.path, ...path)
  for (const [folder, file, to] of [
    [at('Cellar', 'node', '24.1.0', 'bin'), 'node', process.execPath],
    [at('5', '.pnpm', 'us@0.2.0', 'node_modules', 'us'), 'main.js', PROGRAM],
  ] as const) {
    await mkdir(folder, { recursive: true })
    await symlink(to, join(folder, file))
  }
  await mkdir(at('opt'))
  await mkdir(at('5', 'node_modules'))
  await symlink(at('Cellar', 'node', '24.1.0'), at('opt', 'node'))
  await symlink(at('5', '.pnpm', 'us@0.2.0', 'node_modules', 'us'), at('5', 'node_modules', 'us'))
  // Node tells the real path of itself, which here is no Cellar.
  const likeHomebrew = `Object.defineProperty(process,"execPath",{value:${JSON.stringify(at('Cellar', 'node', '24.1.0', 'bin', 'node'))}})`
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(likeHomebrew)}` }
  const program = at('5', '.pnpm', 'us@0.2.0', 'node_modules', 'us', 'main.js')
  const { stdout } = await run(['service', 'install', '--print'], { home: other, env, program })
  const [node, us] = [at('opt', 'node', 'bin', 'node'), at('5', 'node_modules', 'us', 'main.js')]
  expect(stdout).toContain(`ExecStart="${node}" "${us}" start --foreground\n`)
})

test('a service that would run from the folder of npx says that it does not last, and how it would', async () => {
  const { other, service } = await serviceStage('exit 0')
  const folder = join(other.path, '_npx', '1a2b', 'node_modules', '.bin')
  await mkdir(folder, { recursive: true })
  const program = join(folder, 'codex-api-proxy')
  await symlink(PROGRAM, program)
  const { code, stdout, stderr } = await run(['service', 'install', '--print'], { home: other, program })
  expect([code, stderr]).toEqual([0, expect.stringMatching(/npx .+ does not last .+ `npm install -g codex-api-proxy`/)])
  expect(stdout).toContain(`"${program}" start --foreground\n`)
  expect((await service('install', '--print')).stderr).toBe('')
})

test('service --print leaves secrets out unless it is asked for them, and without them nothing would start', async () => {
  const { other, service } = await serviceStage('exit 0')
  const print = (...args: string[]) => service('install', '--print', '--api-key', 'a-key', ...args)
  const withLogin = ['--proxy', 'http://me:a-password@127.0.0.1:3128']
  for (const args of [withLogin, [...withLogin, '--json']]) {
    const { code, stdout, stderr } = await print(...args)
    expect([code, stderr]).toEqual([0, 'Replace FILL IN HERE with your secrets, or use --show-secrets.\n'])
    expect(stdout).not.toMatch(/a-key|a-password/)
  }
  const shown = await print(...withLogin, '--show-secrets')
  expect(shown.stderr).toBe('')
  expect(shown.stdout).toContain('"CODEX_PROXY_API_KEY=a-key"')
  expect(shown.stdout).toContain('"CODEX_API_PROXY_HTTPS_PROXY=http://me:a-password@127.0.0.1:3128"')
  expect((await print('--proxy', 'http://127.0.0.1:3128')).stdout).toContain('HTTPS_PROXY=http://127.0.0.1:3128"')

  const unfilled = [...(await print(...withLogin)).stdout.matchAll(/"(\w+)=(FILL .+)"/g)]
  expect(unfilled.map(([, name]) => name)).toEqual(['CODEX_PROXY_API_KEY', 'CODEX_API_PROXY_HTTPS_PROXY'])
  for (const [, name = '', value = ''] of unfilled) {
    const started = await run(['start', '--foreground', '--port', '0'], { home: other, env: { [name]: value } })
    expect(started, name).toMatchObject({ code: 2, stdout: '' })
  }
})

test('service --print refuses what install refuses, and to take one away it needs no setting', async () => {
  const { other, service } = await serviceStage('exit 0')
  for (const args of [
    ['--host', '0.0.0.0'],
    ['--api-key-file', 'nowhere'],
    ['--api-key', 'two words'],
  ]) {
    const refused = await service('install', ...args)
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(await service('install', '--print', ...args)).toEqual(refused)
    expect(await service('uninstall', '--print', ...args)).toEqual({
      code: 0,
      stdout: `systemctl --user disable --now codex-api-proxy.service\nrm ${join(other.path, UNIT)}\nsystemctl --user daemon-reload\n`,
      stderr: '',
    })
  }
})

test('service install writes a unit and starts it, status sees both, uninstall takes both back', async () => {
  const { other, manager, service } = await serviceStage('[ "$2" != is-active ] || [ -e active ]')
  expect(await service('status')).toMatchObject({ code: 3, stdout: 'Not installed.\n' })
  expect((await service('install', '--api-key', 'hidden"%"$x')).stdout).toContain('The service is running')
  const unit = join(other.path, UNIT)
  expect(await readFile(unit, 'utf8')).toContain('Environment="CODEX_PROXY_API_KEY=hidden\\"%%\\"$x"')
  expect((await stat(unit)).mode & 0o777).toBe(0o600)
  expect(await service('status')).toMatchObject({ code: 3, stdout: `Installed (${unit}), not running.\n` })
  await writeFile(join(other.path, 'active'), '')
  expect(JSON.parse((await service('status', '--json')).stdout)).toMatchObject({ installed: true, running: true })
  expect(await service('status')).toMatchObject({ code: 0, stdout: `Installed (${unit}), running.\n` })
  expect(await service('uninstall')).toMatchObject({ code: 0, stdout: `Removed: ${unit}\n` })
  await expect(stat(unit)).rejects.toThrow('ENOENT')
  expect(await service('uninstall')).toMatchObject({ code: 0, stdout: 'Not installed.\n' })
  expect((await manager.calls()).split('\n').filter((call) => call !== '' && !call.includes('is-active'))).toEqual([
    '--user daemon-reload',
    '--user enable --now codex-api-proxy.service',
    '--user disable --now codex-api-proxy.service',
    '--user daemon-reload',
  ])
})

test('the commands that service --print shows can be pasted, also from a home with a space in its name', async () => {
  const HOME = join(home.path, 'so me')
  const env = { HOME, NODE_OPTIONS: LIKE_MACOS }
  const { stdout } = await run(['service', 'install', '--print'], { home, env })
  const plist = join(HOME, 'Library/LaunchAgents/codex-api-proxy.plist')
  expect(stdout).toContain(`\n# launchctl bootstrap gui/${process.getuid?.()} '${plist}'\n`)
  expect((await run(['service', 'uninstall', '--print'], { home, env })).stdout).toContain(`\nrm '${plist}'\n`)
})

test('on macOS a service is installed anew when the old one has ended, with a private folder for its log', async () => {
  // Like launchd: `bootout` answers at once, and until the service has ended none of its name is taken.
  const { other, manager } = await serviceStage(`case $1 in
    print) [ -e running ];;
    bootout) (sleep 0.5; rm running) > /dev/null 2>&1 &;;
    bootstrap) [ ! -e running ] || { echo 'Bootstrap failed: 5: Input/output error' >&2; exit 5; };;
  esac`)
  await writeFile(join(other.path, 'running'), '')
  const env = { PATH: manager.path, CODEX_PROXY_PORT: '0', NODE_OPTIONS: LIKE_MACOS }
  const plist = join(other.path, 'Library/LaunchAgents/codex-api-proxy.plist')
  const unusable = ['--log-file', join(other.path, 'bin/launchctl/folder/log')]
  expect(await run(['service', 'install', ...unusable], { home: other, env })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('a part of the path is not a folder. Choose another --log-file.'),
  })
  expect(await manager.calls(), 'the old one runs on').not.toContain('bootout')
  expect(await run(['service', 'install'], { home: other, env })).toMatchObject({
    code: 0,
    stdout: `Written: ${plist}\nThe service is running, and starts with your session.\n`,
  })
  expect((await stat(other.runFolder)).mode & 0o777).toBe(0o700)
  expect((await manager.calls()).trim().split('\n').at(-1)).toBe(`bootstrap gui/${process.getuid?.()} ${plist}`)
})

test('on macOS a service that launchd holds for disabled is installed', async () => {
  const { other, manager } = await serviceStage(`case $1 in
    print) exit 113;;
    enable) rm disabled;;
    bootstrap) [ ! -e disabled ] || { echo 'Bootstrap failed: 5: Input/output error' >&2; exit 5; };;
  esac`)
  await writeFile(join(other.path, 'disabled'), '')
  const env = { PATH: manager.path, CODEX_PROXY_PORT: '0', NODE_OPTIONS: LIKE_MACOS }
  expect((await run(['service', 'install'], { home: other, env })).code).toBe(0)
  expect(await manager.calls()).toContain(`enable gui/${process.getuid?.()}/codex-api-proxy\n`)
})

test('without a manager install says what it did and what to do, and uninstall takes the file away', async () => {
  const { other, service } = await serviceStage('echo "No bus." >&2; exit 1')
  const unit = join(other.path, UNIT)
  const installed = await service('install')
  expect([installed.code, installed.stdout]).toEqual([1, `Written: ${unit}\n`])
  expect(installed.stderr).toMatch(
    /^codex-api-proxy: `systemctl --user daemon-reload` failed: No bus\. The file was written, but the service is not running\. /,
  )
  expect(installed.stderr).toContain('systemctl --user enable --now codex-api-proxy.service`')
  expect(installed.stderr).toContain('`codex-api-proxy service uninstall`')

  const uninstalled = await service('uninstall')
  expect([uninstalled.code, uninstalled.stdout]).toEqual([0, `Removed: ${unit}\n`])
  expect(uninstalled.stderr).toMatch(/ failed: No bus\. .*: systemctl --user stop codex-api-proxy\.service\n$/)
  await expect(stat(unit)).rejects.toThrow('ENOENT')
})

test.each([
  ['', []],
  [" and this machine's other addresses", ['--host', '0.0.0.0', '--insecure-no-key']],
])(
  'uninstall that reaches no manager says that a server still answers at its port%s, and how to end it',
  async (others, host) => {
    const { other, service } = await serviceStage('echo "No bus." >&2; exit 1')
    const { url, pid, stop } = await startForeground(host, { home: other })
    onTestFinished(async () => void (await stop()))
    const unit = join(other.path, UNIT)
    await mkdir(dirname(unit), { recursive: true })
    await writeFile(unit, `Environment="CODEX_PROXY_PORT=${new URL(url).port}"\n`)
    const { code, stderr } = await service('uninstall', ...host)
    expect(code).toBe(0)
    expect(stderr).toBe(
      '`systemctl --user disable --now codex-api-proxy.service` failed: No bus. ' +
        `A server (process ${pid}) still answers at ${url}${others}: end it with \`kill ${pid}\`, or, if it is the service, ` +
        'in its session: systemctl --user stop codex-api-proxy.service\n',
    )
  },
)

test.each([
  ['is not there', { PATH: '/nowhere' }, 'there is no systemctl in PATH'],
  ['fails without a word', {}, 'exit code 4'],
])('a manager that %s is told in words', async (_what, more, reason) => {
  const { other, manager } = await serviceStage('exit 4')
  const env = { PATH: manager.path, CODEX_PROXY_PORT: '0', ...more }
  const { code, stderr } = await run(['service', 'install'], { home: other, env })
  expect(code).toBe(1)
  expect(stderr).toContain(`\`systemctl --user daemon-reload\` failed: ${reason}. The file was written, but`)
})

test('the unit lies where XDG_CONFIG_HOME says, and how to remove it comes as JSON too', async () => {
  const { other } = await serviceStage('exit 0')
  const env = { XDG_CONFIG_HOME: join(other.path, 'elsewhere') }
  const { stdout } = await run(['service', 'uninstall', '--print', '--json'], { home: other, env })
  const path = join(other.path, 'elsewhere', 'systemd', 'user', 'codex-api-proxy.service')
  expect(JSON.parse(stdout)).toEqual({
    manager: 'systemd',
    path,
    commands: [
      ['systemctl', '--user', 'disable', '--now', 'codex-api-proxy.service'],
      ['rm', path],
      ['systemctl', '--user', 'daemon-reload'],
    ],
  })
})

test('on a system whose manager is not known there is no service', async () => {
  const { other } = await serviceStage('exit 0')
  const code = 'Object.defineProperty(process,"platform",{value:"freebsd"})'
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }
  expect(await run(['service', 'status'], { home: other, env })).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'codex-api-proxy: Services are supported on Linux (systemd) and macOS (launchd). Here, let the system run ' +
      '`codex-api-proxy start` when you log in.\n',
  })
})

test('a service that runs is not ended for one that could not listen', async () => {
  const { other, manager, service } = await serviceStage('[ "$2" != is-active ] || [ -e active ]')
  await service('install')
  await writeFile(join(other.path, 'active'), '')
  const unit = await readFile(join(other.path, UNIT), 'utf8')
  const before = await manager.calls()
  const { code, stdout, stderr } = await service('install', '--host', '192.0.2.1', '--insecure-no-key')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toBe('codex-api-proxy: This machine has no address 192.0.2.1. Choose another --host.\n')
  expect(await readFile(join(other.path, UNIT), 'utf8')).toBe(unit)
  expect((await manager.calls()).slice(before.length).trim().split('\n')).toEqual([
    '--user is-active --quiet codex-api-proxy.service',
  ])
})

test('a manager that does not stop the service is a failure, and its file is left for another try', async () => {
  const refuses = 'case "$2" in is-active) [ -e active ];; disable) echo "Denied." >&2; exit 1;; esac'
  const { other, service } = await serviceStage(refuses)
  await service('install')
  await writeFile(join(other.path, 'active'), '')
  expect(await service('uninstall')).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'codex-api-proxy: `systemctl --user disable --now codex-api-proxy.service` failed: Denied. The service is still running, and ' +
      'nothing was removed. Stop it with `systemctl --user stop codex-api-proxy.service`, then uninstall it again.\n',
  })
  await stat(join(other.path, UNIT))
})

test('a service file that can not be written is named, with what to do', async () => {
  const { other, service } = await serviceStage('exit 3')
  await writeFile(join(other.path, '.config'), 'no folder')
  const { code, stderr } = await service('install')
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^codex-api-proxy: Can't use \S+: a part of the path is not a folder\. .*--print` shows it\.\n$/,
  )
})

test('service --json says what became of it, and nothing else', async () => {
  const { other, service } = await serviceStage('exit 0')
  const told = async (name: string) => JSON.parse((await service(name, '--json')).stdout)
  expect(await told('install')).toMatchObject({ path: join(other.path, UNIT), installed: true, running: true })
  expect(await told('uninstall')).toMatchObject({ installed: false, running: false })
  expect(await told('uninstall')).toMatchObject({ installed: false, running: false })
})

test('a service is not installed beside a server in the background: its port would be taken', async () => {
  const { code, stderr } = await command('service', 'install')
  expect(code).toBe(1)
  expect(stderr).toContain('run `codex-api-proxy stop` first')
})

test('a service is not installed where another program has its port, but anew over itself', async () => {
  const { other, service } = await serviceStage('[ "$2" != is-active ] || [ -e active ]')
  const holder = createServer()
  const port = String(await listenOnLoopback(holder))
  onTestFinished(() => void holder.close())
  expect(await service('install', '--port', port)).toEqual({
    code: 1,
    stdout: '',
    stderr: `codex-api-proxy: Port ${port} is in use by another program. Choose another --port.\n`,
  })
  await expect(stat(join(other.path, UNIT))).rejects.toThrow('ENOENT')
  await writeFile(join(other.path, 'active'), '')
  expect((await service('install', '--port', port)).code).toBe(0)
})

test('a service that runs is not moved to a port that another program has', async () => {
  const { other, manager, service } = await serviceStage('[ "$2" != is-active ] || [ -e active ]')
  const holder = createServer()
  const port = String(await listenOnLoopback(holder))
  onTestFinished(() => void holder.close())
  await service('install')
  await writeFile(join(other.path, 'active'), '')
  const unit = await readFile(join(other.path, UNIT), 'utf8')
  expect(await service('install', '--port', port)).toEqual({
    code: 1,
    stdout: '',
    stderr: `codex-api-proxy: Port ${port} is in use by another program. Choose another --port.\n`,
  })
  expect(await readFile(join(other.path, UNIT), 'utf8')).toBe(unit)
  expect(await manager.calls()).not.toContain('disable')
})

test('a service that could not start is not installed, and one is taken away whatever a variable says', async () => {
  const { other, manager, service } = await serviceStage('[ "$2" != is-active ]')
  const open = await service('install', '--host', '0.0.0.0')
  expect(open).toMatchObject({ code: 2, stderr: expect.stringContaining('Set a client key') })
  await expect(stat(join(other.path, UNIT))).rejects.toThrow('ENOENT')

  expect((await service('install')).code).toBe(0)
  const env = { PATH: manager.path, HTTPS_PROXY: 'foo://bar' }
  const misled = (name: string) => run(['service', name], { home: other, env })
  expect((await misled('status')).stdout).toMatch(/^Installed \(.*\), not running\.$/m)
  expect((await misled('uninstall')).stdout).toBe(`Removed: ${join(other.path, UNIT)}\n`)
  expect((await misled('install')).code).toBe(2)
})
