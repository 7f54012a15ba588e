import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A bare connection to the proxy, to send what no client would. */
export async function openConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  // Being cut off is an outcome here; what was answered before tells the rest.
  socket.on('error', () => {})
  return socket
}

/** Sends the bytes and reads until the proxy closes the connection. */
export async function sendRaw(url: string, bytes: string | Buffer): Promise<string> {
  const socket = await openConnection(url)
  socket.write(bytes, 'latin1')
  return await everything(socket)
}

export async function everything(socket: Socket): Promise<string> {
  const pieces: Buffer[] = []
  socket.on('data', (bytes: Buffer) => pieces.push(bytes))
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(pieces).toString('latin1')
}

type RawAnswer = { readonly status: number; readonly head: string; readonly body: string }

/** The first answer in what was read; status 0 when there is none. */
export function firstAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body: rest.join('\r\n\r\n') }
}
