import { X509Certificate } from 'node:crypto'
import * as tls from 'node:tls'
import { codeOf } from '../../system/error-code.ts'
import { readText } from '../../system/text-file.ts'

/** Variables of Codex and OpenSSL; the certificates in these files are trusted in addition to the usual ones. */
const VARIABLES = ['SSL_CERT_FILE', 'CODEX_CA_CERTIFICATE'] as const

type Environment = Readonly<Record<string, string | undefined>>
type Warn = (fields: { readonly variable: string; readonly reason: string }, message: string) => void

/**
 * The certificates that TLS connections trust: loaded once, on first use, since reading the roots takes milliseconds.
 */
export function createTrust(env: Environment, warn: Warn): () => tls.SecureContext {
  let context: tls.SecureContext | undefined
  return () => {
    context ??= createContext(env, warn)
    return context
  }
}

function createContext(env: Environment, warn: Warn): tls.SecureContext {
  const read = (variable: string) => readCertificates(env[variable], (reason) => warn({ variable, reason }, NOT_READ))
  // Node reads it by itself, but only if no other list is given, and does not report a file without certificates.
  const extra = read('NODE_EXTRA_CA_CERTS')
  const more = VARIABLES.flatMap(read)
  if (more.length === 0) return tls.createSecureContext()
  return tls.createSecureContext({ ca: [...usualCertificates(), ...extra, ...more] })
}

/**
 * What Node trusts without a list: its own roots, and with NODE_USE_SYSTEM_CA those of the system. Node versions
 * without this function don't know the variable either.
 */
function usualCertificates(): readonly string[] {
  const { getCACertificates } = tls as typeof tls & { readonly getCACertificates?: (which: 'default') => string[] }
  return getCACertificates?.('default') ?? tls.rootCertificates
}

/**
 * Matches each certificate separately, ignoring anything else in the file (a private key, as with mitmproxy), also if
 * the end of one and the beginning of the next share a line, as after `cat a.pem b.pem`.
 */
const CERTIFICATES = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?(?=-----BEGIN |$)/gs
const NOT_READ = 'certificates named by a variable were not read'

function readCertificates(path: string | undefined, failed: (reason: string) => void): string[] {
  if (path === undefined || path === '') return []
  try {
    const certificates = readText(path).match(CERTIFICATES) ?? []
    const usable = certificates.filter(isCertificate)
    if (usable.length === 0) failed('the file holds no certificate in PEM')
    else if (usable.length < certificates.length) {
      failed(`${certificates.length - usable.length} of the ${certificates.length} in the file can't be read`)
    }
    return usable
  } catch (error) {
    failed(codeOf(error) ?? 'the file is unreadable')
    return []
  }
}

/** Checked here because OpenSSL silently drops the first broken certificate and everything after it. */
function isCertificate(text: string): boolean {
  try {
    new X509Certificate(text)
    return true
  } catch {
    return false
  }
}
