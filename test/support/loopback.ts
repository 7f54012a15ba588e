import { randomInt } from 'node:crypto'
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

/**
 * A port that nothing listened on just now. It is below those that Linux gives to whoever asks for any (from 32768 on):
 * one of them could go to another test before it is used, or between a stop and the next start.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(20_000, 32_768)
  return (await isFree(port)) ? port : await freePort()
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
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
