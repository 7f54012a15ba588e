import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls'
import { request } from 'undici'
import { blockedError, isHtml } from '../../../blocked.ts'
import { portOf, withoutBrackets } from '../../../config/endpoint.ts'
import type { Config } from '../../../config/options.ts'
import { ERRORS } from '../../../error-table.ts'
import { toError } from '../../../errors.ts'
import { textIn } from '../../../system/text-file.ts'
import { failureCode, Refusal, reasonOf } from '../../../upstream/outbound/failure-reason.ts'
import { type OutboundRoute, openOutboundRoute } from '../../../upstream/outbound/outbound-route.ts'
import { createTrust } from '../../../upstream/outbound/trusted-certificates.ts'
import { identityHeaders } from '../../../upstream/target.ts'
import { about, utcMinute } from '../../shown.ts'
import { type Check, ok, postponed, problem, skipped } from './check.ts'

const LIMIT_MS = 10_000
const SILENT = `did not answer within ${LIMIT_MS / 1000} s`
const NO_CLOCK = skipped('Clock', 'Not checked: that takes an answer from upstream.')
/** Tokens contain times; a clock that is further off makes them look expired, or fresh when they aren't. */
const CLOCK_TOLERANCE_MS = 60_000

/** Checks the way to upstream step by step, to show which step fails. `upstream` is a base URL. */
export async function checkNetwork(config: Config, upstream: URL): Promise<Check[]> {
  const route = await openOutboundRoute(config, { info: () => {}, warn: () => {} })
  try {
    const { proxy, origin, inUse, note = 'None: connections are direct.' } = route.describe(upstream)
    const { trust, unread } = readTrust()
    const hint = origin === 'implicit' ? proxyOfCodex(config) : ''
    const outbound = inUse ? await checkProxy(proxy) : ok('Outbound proxy', note + hint)
    const steps = inUse ? throughProxy(proxy) : await checkDirect(upstream, trust)
    const way = [outbound, ...steps]
    const isOpen = way.every(({ state }) => state !== 'problem')
    return [...unread, ...way, ...(isOpen ? await checkAnswer(route, upstream) : [postponed('Upstream'), NO_CLOCK])]
  } finally {
    await route.close()
  }
}

/** Codex takes its outbound proxy from a file too (docs/upstream.md 1.1). There may be a password in it. */
function proxyOfCodex({ codexHome }: Config): string {
  const path = join(codexHome, '.env')
  if (!/^[ \t]*(?:export[ \t]+)?(?:https|all)_proxy[ \t]*=[ \t]*\S/im.test(textIn(path) ?? '')) return ''
  return ` Codex uses the one in ${path}; if it is needed here too, set it with --proxy.`
}

/** Often set in a network that inspects TLS, by people who name its certificate nowhere. */
const UNCHECKED = problem(
  'Certificates',
  'NODE_TLS_REJECT_UNAUTHORIZED=0 turns off their check: anyone between here and upstream can steal the login.',
  'Unset it, also where the server is started; if this network inspects TLS, name its certificate with NODE_EXTRA_CA_CERTS.',
)

/** The same trust that requests have; otherwise `doctor` would report problems where requests work. */
function readTrust(): { trust: SecureContext; unread: Check[] } {
  const unread = process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0' ? [UNCHECKED] : []
  const remedy = 'Set it to a complete file of PEM certificates or unset it, also where the server is started.'
  const trust = createTrust(process.env, ({ variable, reason }) => {
    unread.push(problem('Certificates', `The certificates in ${variable} were not read: ${reason}.`, remedy))
  })()
  return { trust, unread }
}

async function checkProxy(shown: string): Promise<Check> {
  const proxy = new URL(shown)
  let socket: Socket | undefined
  try {
    socket = connect({ host: withoutBrackets(proxy.hostname), port: portOf(proxy) })
    await happens(socket, 'connect')
    return ok('Outbound proxy', `${shown} can be reached.`)
  } catch (error) {
    const reason = `${shown} can't be reached: it ${reasonOf(error)}.`
    return problem('Outbound proxy', reason, ERRORS.outbound_proxy_failed.remedy)
  } finally {
    socket?.destroy()
  }
}

async function happens(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  // A failure after the time limit doesn't matter, but without a listener it would end the program.
  socket.on('error', () => {})
  try {
    await once(socket, event, { signal: AbortSignal.timeout(LIMIT_MS) })
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error
    throw new Refusal(SILENT, { cause: error })
  }
}

function throughProxy(proxy: string): Check[] {
  return ['DNS', 'TLS'].map((name) => skipped(name, `Not checked: upstream is reached through ${proxy}.`))
}

async function checkDirect(upstream: URL, trust: SecureContext): Promise<Check[]> {
  const host = withoutBrackets(upstream.hostname)
  if (isIP(host) !== 0) return [skipped('DNS', `${host} is an IP address.`), await checkTls(upstream, host, trust)]
  try {
    const addresses = await lookup(host, { all: true })
    const shown = addresses.map(({ address }) => address).join(', ')
    return [ok('DNS', `${host} is ${shown}.`), await checkTls(upstream, host, trust)]
  } catch (error) {
    const remedy = 'Check the network and its DNS server, or set an outbound proxy with --proxy.'
    return [problem('DNS', `${host} ${reasonOf(error)}.`, remedy), skipped('TLS', 'Not checked: there is no address.')]
  }
}

async function checkTls(upstream: URL, host: string, secureContext: SecureContext): Promise<Check> {
  if (upstream.protocol === 'http:') return skipped('TLS', 'Not used on loopback.')
  let socket: TLSSocket | undefined
  try {
    const servername = isIP(host) === 0 ? { servername: host } : {}
    socket = connectTls({ host, port: portOf(upstream), secureContext, ...servername })
    await happens(socket, 'secureConnect')
    const { issuer, valid_to: end } = socket.getPeerCertificate()
    return ok('TLS', `${socket.getProtocol()}, certificate by ${issuer.O ?? issuer.CN} until ${end}.`)
  } catch (error) {
    const remedy =
      'If this network inspects TLS, name its certificate with CODEX_CA_CERTIFICATE, SSL_CERT_FILE or ' +
      'NODE_EXTRA_CA_CERTS, also where the server is started; otherwise check the network and the --proxy setting.'
    const message = `No secure connection to ${upstream.host}: it ${reasonOf(error)}.`
    return problem('TLS', message, clockRemedy(error) ?? remedy)
  } finally {
    socket?.destroy()
  }
}

/** Asks without credentials: upstream itself refuses that in JSON, while its CDN would answer with a page. */
async function checkAnswer(route: OutboundRoute, upstream: URL): Promise<Check[]> {
  const url = new URL(`${upstream.pathname.replace(/\/$/, '')}/models?client_version=0.0.0`, upstream)
  const signal = AbortSignal.timeout(LIMIT_MS)
  try {
    const dispatcher = route.dispatcherFor(upstream)
    // The headers of real requests: the CDN looks at them.
    const { statusCode, headers, body } = await request(url, { dispatcher, signal, headers: identityHeaders() })
    await body.dump()
    const isPage = statusCode >= 400 && isHtml(headers)
    const blocked = blockedError(statusCode, headers, isPage)
    const answer =
      blocked === undefined
        ? ok('Upstream', `${upstream.host} answers (${statusCode} without credentials).`)
        : problem('Upstream', blocked.message, blocked.remedy)
    return [answer, checkClock(String(headers.date))]
  } catch (error) {
    const failure = route.explain(signal.aborted ? new Refusal(SILENT) : toError(error), upstream)
    return [problem('Upstream', failure.message, clockRemedy(error) ?? failure.remedy), NO_CLOCK]
  }
}

const OUT_OF_DATE = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

/**
 * For a certificate outside its validity period: usually the clock is wrong, after a boot without a battery-backed one.
 */
function clockRemedy(error: unknown): string | undefined {
  if (!OUT_OF_DATE.has(failureCode(error) ?? '')) return undefined
  return `The time on this machine is ${utcMinute(Date.now())}. If that is wrong, set its clock; otherwise upstream, or a network that inspects TLS, has to renew the certificate.`
}

/** `date` as HTTP has it (RFC 9110 §5.6.7). */
function checkClock(date: string): Check {
  const off = Date.now() - Date.parse(date)
  if (Number.isNaN(off)) return skipped('Clock', 'Not checked: upstream sent no date.')
  if (Math.abs(off) <= CLOCK_TOLERANCE_MS) return ok('Clock', 'Agrees with upstream.')
  const away = `${about(Math.abs(off) / 1000)} ${off > 0 ? 'ahead of' : 'behind'} upstream.`
  return problem('Clock', away, 'Set the clock of this machine.')
}
