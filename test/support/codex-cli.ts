import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { BUILT_IN_VERSION as VERSION } from '../../src/upstream/models/client-version.ts'

const FOLDER = fileURLToPath(new URL(`../../node_modules/.cache/codex-cli-${VERSION}`, import.meta.url))
const LAUNCHER = join(FOLDER, 'node_modules/@openai/codex/bin/codex.js')

/**
 * Installs the real Codex CLI beside the other packages, unless it is there. It is no dependency of ours, since it
 * unpacks to more than 400 MB. Fails when it can't be had: a test that needs it must not pass without.
 */
export async function installCodexCli(): Promise<void> {
  if (existsSync(LAUNCHER)) return
  // Only a whole one gets its name: what an interrupted install leaves would be taken for one ever after.
  const partial = `${FOLDER}.part`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true })
  const args = ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', partial, `@openai/codex@${VERSION}`]
  try {
    await promisify(execFile)('npm', args, { cwd: partial })
    await rm(FOLDER, { recursive: true, force: true })
    await rename(partial, FOLDER)
  } catch (error) {
    throw new Error(`This test needs the Codex CLI, and npm could not install @openai/codex@${VERSION}.`, {
      cause: error,
    })
  }
}

type CodexRun = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

type ExecSettings = { readonly codexHome: string; readonly env: Readonly<Record<string, string>> }

/** `codex exec` with one prompt. Nothing but loopback can be reached. */
export async function codexExec(prompt: string, { codexHome, env }: ExecSettings): Promise<CodexRun> {
  const child = spawn(process.execPath, [LAUNCHER, 'exec', '--skip-git-repo-check', prompt], {
    cwd: codexHome,
    env: {
      ...env,
      CODEX_HOME: codexHome,
      HTTP_PROXY: 'http://127.0.0.1:9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '127.0.0.1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exitCode(child)])
  return { code, stdout, stderr }
}

/**
 * Makes Codex talk to this base URL with the login of its folder (docs/upstream.md 9). Only the built-in provider tells
 * its version by itself, which ChatGPT asks for.
 */
export function codexConfig(baseUrl: string): string {
  return `model = "gpt-5.5"
model_provider = "fake"
[model_providers.fake]
name = "fake"
base_url = "${baseUrl}"
wire_api = "responses"
requires_openai_auth = true
supports_websockets = false
http_headers = { version = "${VERSION}" }
[features]
plugins = false
apps = false
`
}

function exitCode(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', resolve))
}
