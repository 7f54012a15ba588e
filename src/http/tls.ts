import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { settingName } from '../config/load.ts'
import { type Config, OPTIONS } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'
import { toError } from '../errors.ts'
import { codeInBrackets } from '../system/error-code.ts'

const CERT = settingName(OPTIONS.tlsCert)
const KEY = settingName(OPTIONS.tlsKey)

/** Certificate and key to serve HTTPS with; undefined for HTTP. Throws a UsageError that says which file is wrong. */
export function tlsOptions({ tlsCert, tlsKey }: Pick<Config, 'tlsCert' | 'tlsKey'>): SecureContextOptions | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new UsageError(`${CERT} and ${KEY} belong together; give both or none.`)
  }
  const cert = read(tlsCert, CERT)
  const key = read(tlsKey, KEY)
  const certificate = parseCertificate(cert, tlsCert)
  if (!certificate.checkPrivateKey(parseKey(key, tlsKey))) {
    throw new UsageError(`${KEY} ${tlsKey}: it is not the key that belongs to the certificate.`)
  }
  const options = { cert, key, minVersion: 'TLSv1.2' } as const
  try {
    createSecureContext(options)
  } catch (error) {
    // A key that is too short, a broken certificate further down in the file.
    throw new UsageError(`${CERT} ${tlsCert}: it can't be used (${opensslReason(error)}).`)
  }
  return options
}

function read(path: string, setting: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const what = `it can't be read${codeInBrackets(error)}: check the path and its permissions.`
    throw new UsageError(`${setting} ${path}: ${what}`)
  }
}

function parseCertificate(cert: Buffer, path: string): X509Certificate {
  try {
    // X509Certificate also reads the binary form, which a server does not.
    if (cert.includes('-----BEGIN ')) return new X509Certificate(cert)
  } catch {
    // Reported by the error below.
  }
  throw new UsageError(`${CERT} ${path}: it is not a certificate in PEM.`)
}

function parseKey(key: Buffer, path: string): KeyObject {
  try {
    return createPrivateKey(key)
  } catch {
    // The file itself tells more reliably than OpenSSL's codes, which differ between versions of Node.
    const isProtected = /^(-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED)/m.test(key.toString('latin1'))
    const reason = isProtected
      ? 'it is protected by a passphrase; give one without.'
      : 'it is not a private key in PEM.'
    throw new UsageError(`${KEY} ${path}: ${reason}`)
  }
}

/** The part that helps a person: the end of `error:0A00018F:SSL routines::ee key too small`. */
function opensslReason(error: unknown): string {
  return toError(error).message.replace(/^.*:/, '')
}
