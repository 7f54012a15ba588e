import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import type { Certificate } from './certificate.ts'
import { freePort, listenOnLoopback, untilListening } from './loopback.ts'

/** A real forward proxy of the system, as a process of its own. */
export type ForwardProxy = {
  readonly port: number
  /** `host:port` of the connections it was asked for, in order. */
  targets(): string[]
  stop(): Promise<void>
}

type Login = { readonly user: string; readonly password: string }

/** Debian's tinyproxy: CONNECT, with Basic authentication when there is a login. */
export async function startTinyproxy({ login, port }: { login?: Login; port?: number } = {}): Promise<ForwardProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'tinyproxy-'))
  const listenOn = port ?? (await freePort())
  const lines = [
    `Port ${listenOn}`,
    'Listen 127.0.0.1',
    'Allow 127.0.0.1',
    'LogLevel Info',
    'Timeout 60',
    ...(login === undefined ? [] : [`BasicAuth ${login.user} ${login.password}`]),
  ]
  await writeFile(join(folder, 'tinyproxy.conf'), `${lines.join('\n')}\n`)
  const proxy = await start('tinyproxy', 'tinyproxy-bin', ['-d', '-c', join(folder, 'tinyproxy.conf')], listenOn)
  return {
    port: listenOn,
    targets: () => [...proxy.output().matchAll(/CONNECT (\S+) HTTP/g)].map(([, target = '']) => target),
    async stop() {
      await proxy.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Debian's microsocks: SOCKS 5, with user and password when there is a login. */
export async function startMicrosocks({ login }: { login?: Login } = {}): Promise<ForwardProxy> {
  const port = await freePort()
  const loginArgs = login === undefined ? [] : ['-u', login.user, '-P', login.password]
  const proxy = await start('microsocks', 'microsocks', ['-i', '127.0.0.1', '-p', String(port), ...loginArgs], port)
  return {
    port,
    targets: () => [...proxy.output().matchAll(/connected to (\S+)/g)].map(([, target = '']) => target),
    stop: proxy.stop,
  }
}

export type Front = { readonly port: number; close(): Promise<void> }

/** Ends TLS in front of a port of this machine. */
export async function startTlsFront(port: number, { cert, key }: Certificate): Promise<Front> {
  const server = createTlsServer({ cert, key }, (incoming) => {
    const outgoing = connect({ host: '127.0.0.1', port })
    incoming.pipe(outgoing).pipe(incoming)
    incoming.on('error', () => outgoing.destroy()).on('close', () => outgoing.destroy())
    outgoing.on('error', () => incoming.destroy()).on('close', () => incoming.destroy())
  })
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const listenOn = await listenOnLoopback(server)
  return {
    port: listenOn,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

async function start(program: string, debianPackage: string, args: readonly string[], port: number) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const pieces: Buffer[] = []
  child.stdout.on('data', (bytes: Buffer) => pieces.push(bytes))
  child.stderr.on('data', (bytes: Buffer) => pieces.push(bytes))
  const output = () => Buffer.concat(pieces).toString('utf8')
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('error', () => reject(new Error(`${program} can't be run. On Debian: apt-get install ${debianPackage}`)))
    child.once('exit', (code) => reject(new Error(`${program} ended with code ${code}:\n${output()}`)))
  })
  ended.catch(() => {})
  await Promise.race([ended, untilListening(port)])
  return { output, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
