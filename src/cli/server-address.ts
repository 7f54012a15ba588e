import { isLoopbackHost } from '../config/endpoint.ts'

/** On loopback it is this machine's own certificate, usually made for another name. */
export function checksCertificate(baseUrl: string): boolean {
  const { protocol, hostname } = new URL(reachableUrl(baseUrl))
  return protocol === 'https:' && !isLoopbackHost(hostname)
}

/** An address that means "all of this machine" is asked on loopback. */
export function reachableUrl(baseUrl: string): string {
  return baseUrl.replace('://0.0.0.0:', '://127.0.0.1:').replace('://[::]:', '://[::1]:')
}

/** Where clients find a server, for people: an address that means "all of this machine" is none to give to a client. */
export function shownAddress(baseUrl: string, path = '/v1'): string {
  const url = reachableUrl(baseUrl)
  return `${url}${path}${url === baseUrl ? '' : " and this machine's other addresses"}`
}
