import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMMANDS, SHELLS } from '../../src/cli/commands.ts'
import { createHome, type Home, run } from '../support/program.ts'

let home: Home
beforeAll(async () => {
  home = await createHome()
})
afterAll(async () => {
  await home.remove()
})

const command = (...args: string[]) => run(args, { home })

test('completion in bash offers commands, their flags, and the choices of a flag', async () => {
  const script = (await command('completion', 'bash')).stdout
  const complete = (...words: string[]) => {
    const line = words.map((word) => `'${word}'`).join(' ')
    const input = `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _codex_api_proxy; echo "\${COMPREPLY[@]}"`
    return spawnSync('bash', ['--norc', '-u'], { env: { ...home.env }, input, encoding: 'utf8' })
      .stdout.trim()
      .split(' ')
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
  expect(spawnSync('bash', ['--norc'], { env: { ...home.env }, input, encoding: 'utf8' }).stdout).toBe(
    `<${join(home.path, 'my key')}>`,
  )
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
