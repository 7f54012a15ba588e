/** A failure whose message completes a sentence that begins with who failed: "… answered 502 to CONNECT". */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

/** Distinguished from other refusals, since trying the same login again and again may lock an account. */
export class LoginRefused extends Refusal {}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'has no address in DNS',
  EAI_AGAIN: 'could not be looked up: DNS does not answer',
  EAI_FAIL: 'could not be looked up: DNS failed',
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'closed the connection',
  EPIPE: 'closed the connection',
  UND_ERR_SOCKET: 'closed the connection',
  ETIMEDOUT: 'did not answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'did not answer within --connect-timeout',
  EHOSTUNREACH: 'is not reachable from this network',
  ENETUNREACH: 'is not reachable from this network',
  EADDRNOTAVAIL: 'is not reachable from this network',
  EACCES: 'may not be reached: the system forbids it',
  EMFILE: 'could not be reached: too many files are open',
  EPROTO: 'does not speak TLS there',
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS there',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name',
  CERT_HAS_EXPIRED: 'has a certificate that has expired (or the clock is wrong)',
  CERT_NOT_YET_VALID: 'has a certificate that is not valid yet (or the clock is wrong)',
}

/** Nobody we trust signed the certificate: usual where a network inspects TLS (https://nodejs.org/api/tls.html#x509-certificate-error-codes). */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** macOS answers like this to a background program, and tells its user nothing (docs/outbound-proxy.md). */
const LOCAL_NETWORK = 'in the local network that needs a permission: System Settings, Privacy & Security, Local Network'

/**
 * undici parses answers in WebAssembly, for which Node reserves 10 GB of addresses
 * (https://nodejs.org/api/cli.html#--disable-wasm-trap-handler).
 */
const ADDRESS_SPACE =
  'the limit on address space (`ulimit -v`) leaves no room for WebAssembly; lift it, or start with NODE_OPTIONS=--disable-wasm-trap-handler'

/** The reason of a failed connection, as the rest of a sentence. It contains no part of a URL or a header. */
export function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.message
  const code = failureCode(error)
  if (code === undefined) return uncodedReason(error)
  if (UNTRUSTED.has(code)) {
    return `has a certificate that is not trusted (${code}; a network that inspects TLS needs its CA in NODE_EXTRA_CA_CERTS)`
  }
  if (code === 'EHOSTUNREACH' && process.platform === 'darwin') return `${REASONS[code]} (${code}; ${LOCAL_NETWORK})`
  if (code.startsWith('HPE_')) return `does not speak HTTP there (${code})`
  return `${REASONS[code] ?? 'could not be reached'} (${code})`
}

function uncodedReason(error: unknown): string {
  if (isParserError(error)) return 'does not speak HTTP there'
  return isOutOfAddressSpace(error) ? `could not be reached: ${ADDRESS_SPACE}` : 'could not be reached'
}

/** undici's; it has no code, since undici looks for the name of llhttp's number in a list by names. */
function isParserError(error: unknown): boolean {
  return error instanceof Error && error.name === 'HTTPParserError'
}

/** The code of an error or of its cause; if several addresses were tried, that of the first. */
export function failureCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error instanceof AggregateError) return failureCode(error.errors[0])
  return failureCode(error.cause)
}

function isOutOfAddressSpace(error: unknown): boolean {
  return error instanceof RangeError && error.message.startsWith('WebAssembly.')
}
