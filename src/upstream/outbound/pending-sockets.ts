import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/**
 * Connections that are being established; they are all ended when the program stops. An AbortSignal for `net.connect`
 * would do that too, but Node never removes its listener, so every connection ever made would stay in memory.
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

  /** `connecting` is the return value of undici's connector: its socket, which its types don't say. */
  follow(connecting: unknown): void {
    if (!(connecting instanceof Socket)) return
    this.add(connecting)
    connecting.once(connecting instanceof TLSSocket ? 'secureConnect' : 'connect', () => this.delete(connecting))
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy(new Error('The proxy is stopping.'))
  }
}
