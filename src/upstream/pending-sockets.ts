import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/**
 * Connections that are being made: ended together when the program stops. A signal given to `net.connect` would do the
 * same, but Node never takes its listener off again, so every connection ever made would stay in memory.
 */
export class PendingSockets {
  readonly #sockets = new Set<Socket>()

  add(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  delete(socket: Socket): void {
    this.#sockets.delete(socket)
  }

  /** What undici's connector returns: the socket it connects, which its types keep to themselves. */
  follow(connecting: unknown): void {
    if (!(connecting instanceof Socket)) return
    this.add(connecting)
    connecting.once(connecting instanceof TLSSocket ? 'secureConnect' : 'connect', () => this.delete(connecting))
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy(new Error('The proxy is stopping.'))
  }
}
