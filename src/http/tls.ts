import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { Config } from '../config/options.ts'
import { UsageError } from '../config/parsers.ts'

/** Certificate and key to serve HTTPS with; undefined for HTTP. Throws a UsageError that says which file is wrong. */
export function tlsOptions({ tlsCert, tlsKey }: Pick<Config, 'tlsCert' | 'tlsKey'>): SecureContextOptions | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new UsageError('--tls-cert and --tls-key belong together; give both or none.')
  }
  const cert = read(tlsCert, '--tls-cert')
  const key = read(tlsKey, '--tls-key')
  checkCertificate(cert, tlsCert)
  const options: SecureContextOptions = { cert, key, minVersion: 'TLSv1.2' }
  try {
    createSecureContext(options)
  } catch (error) {
    throw new UsageError(`--tls-key ${tlsKey}: ${explain(error)}`)
  }
  return options
}

function read(path: string, flag: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new UsageError(`${flag} ${path}: it can't be read (${codeOf(error)}).`)
  }
}

function checkCertificate(cert: Buffer, path: string): void {
  try {
    new X509Certificate(cert)
  } catch {
    throw new UsageError(`--tls-cert ${path}: it is not a certificate in PEM.`)
  }
}

/** OpenSSL's codes, https://nodejs.org/api/errors.html#openssl-error-codes. */
function explain(error: unknown): string {
  switch (codeOf(error)) {
    case 'ERR_OSSL_X509_KEY_VALUES_MISMATCH':
    case 'ERR_OSSL_X509_KEY_TYPE_MISMATCH':
      return 'it is not the key of the certificate.'
    case 'ERR_MISSING_PASSPHRASE':
    case 'ERR_OSSL_BAD_PASSWORD_READ':
    case 'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED':
      return 'it is protected by a passphrase; give one without.'
    default:
      return 'it is not a private key in PEM.'
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
}
