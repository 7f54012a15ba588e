import { connect } from 'node:net'
import { type Endpoint, portOf, withoutBrackets } from '../../config/endpoint.ts'
import { type ProxyProtocol, proxyProtocol } from '../../config/parsers.ts'

/** The address of an outbound proxy, and the login for it. */
export type OutboundAddress = Endpoint & {
  readonly protocol: ProxyProtocol
  readonly login: { readonly user: string; readonly password: string } | undefined
  /** For people: without the login. */
  readonly shown: string
}

/** Throws for anything that the settings don't allow. */
export function parseOutboundAddress(given: string): OutboundAddress {
  const url = new URL(given)
  const protocol = proxyProtocol(url)
  if (protocol === undefined) throw new Error(`An outbound proxy can't be reached by ${url.protocol}//`)
  const port = portOf(url)
  const login = { user: decoded(url.username), password: decoded(url.password) }
  return {
    protocol,
    host: withoutBrackets(url.hostname),
    port,
    login: login.user === '' && login.password === '' ? undefined : login,
    shown: `${protocol}://${url.hostname}:${port}`,
  }
}

/** Decodes percent-encoding, some of which URL may have added itself. A bare `%` stays. */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return encoded
    }
  })
}

/** A listener on loopback answers at once; something that drops packets there must not hold up the start. */
const PATIENCE_MS = 500

/** Whether something listens there now. */
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
