import { isIP } from 'node:net'

export type Endpoint = {
  /** IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/** `host:port` as HTTP writes it: IPv6 in brackets (RFC 3986 §3.2.2). */
export function authorityOf({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

const USUAL_PORTS: ReadonlyMap<string, number> = new Map([
  ['http:', 80],
  ['https:', 443],
])
const SOCKS_PORT = 1080

/** The port of a URL of HTTP or SOCKS, also if it leaves out the usual one. */
export function portOf({ port, protocol }: Pick<URL, 'port' | 'protocol'>): number {
  return port === '' ? (USUAL_PORTS.get(protocol) ?? SOCKS_PORT) : Number(port)
}

/** IPv6 as it is outside of a URL; any other host as it is. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}

/** `localhost`, `*.localhost` (RFC 6761 §6.3), 127.0.0.0/8 and ::1; IPv6 with or without brackets. */
export function isLoopbackHost(host: string): boolean {
  const name = withoutBrackets(host).toLowerCase()
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true
  return isIP(name) === 4 && name.startsWith('127.')
}

/**
 * What to listen on: loopback names are 127.0.0.1. Node would take the address that the system lists first, often ::1, and
 * its HTTP clients don't look there on a machine that has no other IPv6 address.
 */
export function bindAddress(host: string): string {
  return isLoopbackHost(host) && isIP(withoutBrackets(host)) === 0 ? '127.0.0.1' : host
}

/** Where a server with these settings listens; a caller that chose port 0 gives the port it got. */
export function serverUrl({ tlsCert, ...endpoint }: Endpoint & { readonly tlsCert: string | undefined }): string {
  return `${tlsCert === undefined ? 'http' : 'https'}://${authorityOf(endpoint)}`
}
