import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The built program (`npm test` builds it first), or another copy of it, e.g. one installed from the package. */
export const PROGRAM = process.env.TEST_PROGRAM ?? fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** Nothing listens there. A port that a server has just left may go to another test. */
export const NOTHING_THERE = 'http://127.0.0.1:1'

/** A throw-away home folder with its own Codex folder, and the environment that makes programs use it. */
export type Home = {
  readonly path: string
  readonly codexHome: string
  readonly runFolder: string
  readonly env: Readonly<Record<string, string>>
  /** Writes auth.json; a text is written as it is, anything else as JSON. */
  writeAuth(content: unknown): Promise<void>
  /** Stops what a test left running in the background, then deletes the folder. */
  remove(): Promise<void>
}

export async function createHome(): Promise<Home> {
  const path = await mkdtemp(join(tmpdir(), 'codex-api-proxy-test-'))
  const codexHome = await mkdtemp(join(path, 'codex-'))
  const runFolder = join(path, '.codex-api-proxy')
  // Nothing of the developer's own settings or outbound proxy may leak into a test: only PATH is taken over.
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: path,
    USERPROFILE: path,
    CODEX_HOME: codexHome,
    LANG: 'C.UTF-8',
    // At the usual port the developer's own server may answer.
    CODEX_PROXY_PORT: '0',
    // A refresh that a test does not expect must not leave this machine.
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${NOTHING_THERE}/no-token-issuer`,
  }
  return {
    path,
    codexHome,
    runFolder,
    env,
    async writeAuth(content) {
      const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2)
      await writeFile(join(codexHome, 'auth.json'), text, { mode: 0o600 })
    },
    async remove() {
      const pid = Number.parseInt(await readFile(join(runFolder, 'codex-api-proxy.pid'), 'utf8').catch(() => ''), 10)
      if (pid > 0 && pid !== process.pid) await run(['stop'], { home: { path, env } })
      // A process that is just ending may still write.
      await rm(path, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

type RunOptions = {
  readonly home: Pick<Home, 'path' | 'env'>
  readonly env?: Readonly<Record<string, string>>
  /** Another copy of the program. */
  readonly program?: string
}

export type Result = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** Runs the program to its end. */
export async function run(args: readonly string[], options: RunOptions): Promise<Result> {
  const child = launch(args, options)
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  const [code] = await once(child, 'close')
  return { code, stdout: stdout(), stderr: stderr() }
}

/** Where the server is that a `start` has told of, without path. */
export function started({ code, stdout, stderr }: Result): { url: string; pid: number } {
  const [, url, pid] = /^Started: (http\S+)\/v1 .*\(process (\d+)\)\n/m.exec(stdout) ?? []
  if (code !== 0 || url === undefined) throw new Error(`It did not start:\n${stdout}${stderr}`)
  return { url, pid: Number(pid) }
}

/** What is said only of what takes a second, as anything does on a busy machine; not what is said of an obstacle. */
const PROGRESS = /^(?:Starting …|Checking …|Asking for the models …|Stopping; .+|Ending it at once, .+)\n/gm

/** Of a command that may take long or not, what it says either way. */
export function withoutProgress<Said extends Pick<Result, 'stderr'>>(said: Said): Said {
  return { ...said, stderr: said.stderr.replaceAll(PROGRESS, '') }
}

/** The same by a bash, for what only a shell makes, such as the pipe of `<(…)`. */
export function runInBash(words: string, { path, env }: RunOptions['home']): Result {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `"$0" "$1" ${words}`, process.execPath, PROGRAM], {
    cwd: path,
    env: { ...env },
    encoding: 'utf8',
  })
  return { code: status, stdout, stderr }
}

export type Foreground = {
  /** Without path, e.g. `http://127.0.0.1:40123`. */
  readonly url: string
  readonly pid: number
  /** Everything printed so far, stdout and stderr together. */
  output(): string
  stdout(): string
  stderr(): string
  signal(signal: NodeJS.Signals): void
  /** Resolves when the process is gone, with its exit code. */
  readonly ended: Promise<number | null>
  /** SIGTERM, then waits for the end. */
  stop(): Promise<number | null>
}

/** `start --foreground` on a free port; resolves when it listens, rejects with its output when it ends before. */
export async function startForeground(args: readonly string[], options: RunOptions): Promise<Foreground> {
  const port = args.includes('--port') ? [] : ['--port', '0']
  const child = launch(['start', '--foreground', ...port, ...args], options)
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  const output = () => `${stdout()}${stderr()}`
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const url = await new Promise<string>((resolve, reject) => {
    const look = () => {
      const [, found] = /listen\S* on (https?:\/\/[^\s/]+)/.exec(stdout()) ?? []
      if (found !== undefined) resolve(found)
    }
    child.stdout?.on('data', look)
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`The program ended with code ${code}:\n${output()}`)))
  })
  return {
    url,
    pid: child.pid ?? -1,
    output,
    stdout,
    stderr,
    signal: (signal) => child.kill(signal),
    ended,
    async stop() {
      child.kill('SIGTERM')
      return await ended
    },
  }
}

function launch(args: readonly string[], { home, env, program = PROGRAM }: RunOptions): ChildProcess {
  return spawn(process.execPath, [program, ...args], {
    cwd: home.path,
    env: { ...home.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const pieces: Buffer[] = []
  stream?.on('data', (bytes: Buffer) => pieces.push(bytes))
  return () => Buffer.concat(pieces).toString('utf8')
}
