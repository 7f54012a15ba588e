import { once } from 'node:events'
import { connect, isIPv4, isIPv6, type Socket } from 'node:net'
import { authorityOf, type Endpoint } from '../../config/endpoint.ts'
import { LoginRefused, Refusal } from './failure-reason.ts'
import type { OutboundAddress } from './outbound-address.ts'
import { TCP_KEEP_ALIVE_MS, type TunnelOptions } from './tunnel-options.ts'

/** A SOCKS 5 tunnel (RFC 1928, user and password RFC 1929). The proxy resolves names. */
export async function openSocksTunnel(
  proxy: OutboundAddress,
  target: Endpoint,
  { timeout, pending }: TunnelOptions,
): Promise<Socket> {
  const socket = connect({ host: proxy.host, port: proxy.port, noDelay: true })
  pending.add(socket)
  socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS)
  const timer = setTimeout(() => socket.destroy(new Refusal(`did not connect within ${timeout / 1000} s`)), timeout)
  try {
    const reader = new Reader(socket)
    await logIn(socket, reader, proxy)
    await askFor(socket, reader, target)
    reader.release()
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    pending.delete(socket)
  }
}

const VERSION = 5
const NO_LOGIN = 0
const PASSWORD_LOGIN = 2

async function logIn(socket: Socket, reader: Reader, { login }: OutboundAddress): Promise<void> {
  const methods = login === undefined ? [NO_LOGIN] : [NO_LOGIN, PASSWORD_LOGIN]
  socket.write(Buffer.from([VERSION, methods.length, ...methods]))
  const [version, method] = await reader.take(2)
  if (version !== VERSION) throw new Refusal('does not speak SOCKS 5')
  if (method === NO_LOGIN) return
  if (login === undefined) throw new Refusal('wants a user name and password')
  if (method !== PASSWORD_LOGIN) throw new Refusal('wants another kind of login than user name and password')
  socket.write(Buffer.concat([Buffer.from([1]), counted(login.user), counted(login.password)]))
  const [, status] = await reader.take(2)
  if (status !== 0) throw new LoginRefused('refused the user name or password')
}

/** RFC 1928 §6. */
const REPLIES: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'not allowed by its rules',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'time to live expired',
  7: 'command not supported',
  8: 'address type not supported',
}

async function askFor(socket: Socket, reader: Reader, target: Endpoint): Promise<void> {
  const port = Buffer.alloc(2)
  port.writeUInt16BE(target.port)
  const connectCommand = 1
  socket.write(Buffer.concat([Buffer.from([VERSION, connectCommand, 0]), addressOf(target.host), port]))
  const [version, reply = -1, , kind] = await reader.take(4)
  if (version !== VERSION) throw new Refusal('does not speak SOCKS 5')
  if (reply !== 0) {
    throw new Refusal(`could not connect to ${authorityOf(target)}: ${REPLIES[reply] ?? `reply ${reply}`}`)
  }
  await reader.take((await boundLength(reader, kind)) + 2)
}

const IPV4 = 1
const NAME = 3
const IPV6 = 4

function addressOf(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from([IPV4, ...host.split('.').map(Number)])
  if (isIPv6(host)) return Buffer.concat([Buffer.from([IPV6]), ipv6Bytes(host)])
  return Buffer.concat([Buffer.from([NAME]), counted(host)])
}

/** URL has already normalised the address to groups of hex digits. */
function ipv6Bytes(host: string): Buffer {
  const [before = '', after] = host.split('::')
  const head = groupsOf(before)
  const tail = groupsOf(after ?? '')
  const zeros = after === undefined ? [] : new Array<number>(8 - head.length - tail.length).fill(0)
  return Buffer.from([...head, ...zeros, ...tail].flatMap((group) => [group >> 8, group & 0xff]))
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

/** The length of the address that the proxy bound, which it reports though nobody needs it. */
async function boundLength(reader: Reader, kind: number | undefined): Promise<number> {
  if (kind === IPV4) return 4
  if (kind === IPV6) return 16
  const [length = 0] = await reader.take(1)
  return length
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length > 255) throw new Refusal('takes no name or password of more than 255 bytes')
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

/** Reads exactly as many bytes as asked for; what follows is put back. */
class Reader {
  readonly #socket: Socket
  readonly #closed: Promise<never>
  #bytes: Buffer = Buffer.alloc(0)
  #more = () => {}
  readonly #keep = (bytes: Buffer) => {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    this.#more()
  }

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', this.#keep)
    this.#closed = once(socket, 'close').then(() => {
      throw new Refusal('closed the connection')
    })
  }

  async take(size: number): Promise<Buffer> {
    while (this.#bytes.length < size) {
      const more = new Promise<void>((resolve) => {
        this.#more = resolve
      })
      await Promise.race([more, this.#closed])
    }
    const taken = this.#bytes.subarray(0, size)
    this.#bytes = this.#bytes.subarray(size)
    return taken
  }

  release(): void {
    this.#socket.pause().off('data', this.#keep)
    if (this.#bytes.length > 0) this.#socket.unshift(this.#bytes)
  }
}
