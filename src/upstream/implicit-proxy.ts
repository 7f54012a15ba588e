import { connect } from 'node:net'
import type { Endpoint } from '../config/endpoint.ts'

/** A listener on loopback answers at once; something that drops packets there must not hold up the start. */
const PATIENCE_MS = 500

/** Whether something listens there. */
export function isListening({ host, port }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const settle = (listening: boolean) => {
      socket.destroy()
      resolve(listening)
    }
    socket.setTimeout(PATIENCE_MS, () => settle(false))
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}
