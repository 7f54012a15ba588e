import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Lets a server listen on a free port of this machine alone, and tells which. */
export async function listenOnLoopback(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server listens on no TCP port.')
  return address.port
}

/** A port that nothing listened on just now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenOnLoopback(server)
  server.close()
  await once(server, 'close')
  return port
}

/** Whether nothing listens there. */
export async function isRefused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}

/** Resolves when nothing listens there any more. */
export async function untilRefused(url: string): Promise<void> {
  while (!(await isRefused(url))) await new Promise(setImmediate)
}

/** For a program that does not say when it listens. */
export async function untilListening(port: number): Promise<void> {
  while (await isRefused(`http://127.0.0.1:${port}`)) await delay(5)
}
