import type { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { bindAddress, portOf, withoutBrackets } from '../../../config/endpoint.ts'
import type { Config } from '../../../config/options.ts'
import type { AskedServer } from '../../ask-server.ts'
import { certificateIn } from '../../certificate-in.ts'
import { reachableUrl } from '../../server-address.ts'
import { fromNow } from '../../shown.ts'
import { type Check, ok, problem } from './check.ts'

const LIMIT_MS = 5000

/**
 * Whether clients can accept the certificate that the server serves HTTPS with, or would after a start; nothing without
 * one. The running server keeps the one it was started with, so that is not read from the file.
 */
export async function checkCertificate(
  reached: AskedServer | undefined,
  { tlsCert }: Pick<Config, 'tlsCert'>,
): Promise<Check[]> {
  const certificate = reached === undefined ? certificateIn(tlsCert) : await certificateOf(reached)
  if (certificate === undefined) return []
  const [from, to, now] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo), Date.now()]
  if (now < from) {
    const remedy = 'Check the clock of this machine, or use another certificate.'
    return [problem('Certificate', `It becomes valid only ${fromNow(from, now)}: clients refuse it.`, remedy)]
  }
  if (now > to) {
    const remedy = 'Renew it, then restart the server, which reads it only at its start.'
    return [problem('Certificate', `It expired ${fromNow(to, now)}: clients refuse it.`, remedy)]
  }
  return [ok('Certificate', `Expires ${fromNow(to, now)}; a renewed one is read at the next restart.`)]
}

async function certificateOf(server: AskedServer): Promise<X509Certificate | undefined> {
  const url = new URL(reachableUrl(server.url))
  if (url.protocol !== 'https:') return undefined
  const host = bindAddress(withoutBrackets(url.hostname))
  // Only looked at: nothing is sent to it.
  const socket = connect({ host, port: portOf(url), rejectUnauthorized: false })
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(LIMIT_MS) })
    return socket.getPeerX509Certificate()
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}
