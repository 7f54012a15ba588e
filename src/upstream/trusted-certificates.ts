import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'

/** As Codex and OpenSSL name them; the certificates in these files are trusted beside the usual ones. */
const VARIABLES = ['SSL_CERT_FILE', 'CODEX_CA_CERTIFICATE'] as const

type Environment = Readonly<Record<string, string | undefined>>
type Warn = (fields: { readonly variable: string; readonly reason: string }, message: string) => void

/**
 * Whom TLS connections trust: made once, at the first use, since reading the roots takes milliseconds. Node itself
 * reads NODE_EXTRA_CA_CERTS, but only while no other list is given, so it's read here when there is one.
 */
export function createTrust(env: Environment, warn: Warn): () => SecureContext {
  let context: SecureContext | undefined
  return () => {
    context ??= createContext(env, warn)
    return context
  }
}

function createContext(env: Environment, warn: Warn): SecureContext {
  const read = (variable: string) => readCertificates(env[variable], (reason) => warn({ variable, reason }, NOT_READ))
  const more = VARIABLES.flatMap(read)
  if (more.length === 0) return createSecureContext()
  return createSecureContext({ ca: [...rootCertificates, ...read('NODE_EXTRA_CA_CERTS'), ...more] })
}

const NOT_READ = 'certificates named by a variable were not read'

function readCertificates(path: string | undefined, failed: (reason: string) => void): string[] {
  if (path === undefined || path === '') return []
  try {
    const text = readFileSync(path, 'utf8')
    if (isCertificate(text)) return [text]
    failed('the file holds no certificate in PEM')
  } catch (error) {
    failed(error instanceof Error && 'code' in error ? String(error.code) : 'the file is unreadable')
  }
  return []
}

/** One that is broken would be left out without a word. */
function isCertificate(text: string): boolean {
  try {
    new X509Certificate(text)
    return true
  } catch {
    return false
  }
}
