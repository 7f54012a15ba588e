import { chatgptAuth } from '../test/support/auth-files.ts'
import { createHome, PROGRAM } from '../test/support/program.ts'
import { NGINX_INSTALLED, startNginx } from './nginx.ts'
import { benchProgram, type Running, startServer } from './processes.ts'
import { type Kind, PATHS } from './requests.ts'

/** Something that the same load is sent to. */
export type Target = {
  readonly name: TargetName
  readonly kinds: readonly Kind[]
  readonly path: (kind: Kind) => string
  readonly start: (upstream: Running) => Promise<Running>
}

export type TargetName = 'direct' | 'nginx' | 'nginx-64k' | 'plain' | 'proxy'

const UPSTREAM_FOLDER = '/backend-api/codex'

export function startUpstream(): Promise<Running> {
  return startServer(benchProgram('./upstream.ts'), { core: 'rest' })
}

/** The upstream itself: a second one, on the core of what is measured. */
const direct: Target = {
  name: 'direct',
  kinds: ['responses'],
  path: () => `${UPSTREAM_FOLDER}/responses`,
  start: () => startServer(benchProgram('./upstream.ts'), { core: 'measured' }),
}

const nginx = (name: 'nginx' | 'nginx-64k'): Target => ({
  name,
  // It can't convert; a chat stream through the proxy is compared with the Responses stream through nginx.
  kinds: ['responses'],
  path: (kind) => PATHS[kind],
  start: ({ port }) => startNginx(port, name === 'nginx' ? 'default' : 'large'),
})

/** The same conversion as it is usually written. */
const plain: Target = {
  name: 'plain',
  kinds: ['chat', 'responses'],
  path: (kind) => PATHS[kind],
  start: ({ port }) => startServer(benchProgram('./plain-proxy.ts', { upstream: baseUrl(port) }), { core: 'measured' }),
}

/** The product as it is shipped: built, with its defaults. */
const proxy: Target = {
  name: 'proxy',
  kinds: ['chat', 'responses'],
  path: (kind) => PATHS[kind],
  start: (upstream) => startProxy(upstream),
}

export const TARGETS: readonly Target[] = [
  direct,
  ...(NGINX_INSTALLED ? [nginx('nginx'), nginx('nginx-64k')] : []),
  plain,
  proxy,
]

/** What a user types, after the program's name. */
export const START = ['start', '--foreground', '--port', '0', '--proxy', 'none']

/** `start --foreground` with a made-up login; `probe` is loaded into it and can be asked over the channel. */
export async function startProxy(upstream: Running, probe?: string): Promise<Running> {
  const home = await createHome()
  await home.writeAuth(chatgptAuth())
  const env = { ...home.env, CODEX_API_PROXY_CHATGPT_BASE_URL: baseUrl(upstream.port) }
  const probing = probe === undefined ? [] : ['--import', 'tsx', '--import', new URL(probe, import.meta.url).href]
  const command = [process.execPath, ...probing, PROGRAM, ...START]
  const server = await startServer(command, { core: 'measured', env, channel: probe !== undefined })
  return {
    ...server,
    async stop() {
      await server.stop()
      await home.remove()
    },
  }
}

function baseUrl(port: number): string {
  return `http://127.0.0.1:${port}${UPSTREAM_FOLDER}`
}
