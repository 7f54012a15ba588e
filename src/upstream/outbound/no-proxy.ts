import { BlockList, isIP } from 'node:net'
import { portOf, withoutBrackets } from '../../config/endpoint.ts'

type Rule = (host: string, port: number) => boolean

/**
 * Whether a URL is reached directly, according to the text of NO_PROXY as curl reads it
 * (https://everything.curl.dev/usingcurl/proxies/env.html): names separated by commas or spaces, each of which includes
 * its subdomains (a leading dot is ignored), `*` for all, addresses with or without a prefix length (`10.0.0.0/8`). A
 * port limits a rule to it.
 */
export function parseNoProxy(text: string): (url: URL) => boolean {
  const rules = text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(parseRule)
  return (url) => {
    const host = plainHost(url.hostname)
    return rules.some((matches) => matches(host, portOf(url)))
  }
}

function parseRule(entry: string): Rule {
  if (entry === '*') return () => true
  const [name, port] = splitPort(entry)
  const matchesHost = hostRule(plainHost(name))
  return (host, wanted) => (port === undefined || port === wanted) && matchesHost(host)
}

/** A bare IPv6 address has colons too, but no port. */
function splitPort(entry: string): [string, number | undefined] {
  const [, name, port] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? []
  return name === undefined ? [entry, undefined] : [name, Number(port)]
}

function hostRule(name: string): (host: string) => boolean {
  const [address = '', prefix] = name.split('/')
  if (isIP(address) !== 0) return addressRule(address, prefix)
  const suffix = name.replace(/^\*?\./, '')
  return (host) => isIP(host) === 0 && (host === suffix || host.endsWith(`.${suffix}`))
}

function addressRule(address: string, prefix: string | undefined): (host: string) => boolean {
  const family = familyOf(address)
  const most = family === 'ipv4' ? 32 : 128
  const bits = prefix === undefined ? most : Number(prefix)
  const list = new BlockList()
  // An invalid prefix length matches nothing, as with curl.
  if (Number.isInteger(bits) && bits >= 0 && bits <= most) list.addSubnet(address, bits, family)
  return (host) => isIP(host) !== 0 && list.check(host, familyOf(host))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}

/** In lower case, without brackets and without the dot at the end of a full name. */
function plainHost(host: string): string {
  return withoutBrackets(host.toLowerCase()).replace(/\.$/, '')
}
