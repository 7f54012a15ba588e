import { createServer } from 'node:net'
import { Agent } from 'undici'
import { describe, expect, test, vi } from 'vitest'
import { listenOnLoopback } from '../../../test/support/loopback.ts'
import { errorBody, ProxyError, toError } from '../../errors.ts'
import { explainFailure } from './explain-failure.ts'
import { Refusal, reasonOf } from './failure-reason.ts'
import { OutboundProxyError } from './tunnel.ts'

const ORIGIN = new URL('https://upstream.example/v1')
const HEADER_TIMEOUT_MS = 600_000

function failure(code: string): Error {
  return Object.assign(new Error('fetch failed'), { code })
}

describe('the failure of an exchange', () => {
  test('that has its name already keeps it', () => {
    const named = new ProxyError('upstream_timeout', 'Too late.')
    expect(explainFailure(named, ORIGIN, undefined, HEADER_TIMEOUT_MS)).toBe(named)
  })

  test.each([
    ['ENOTFOUND', 'Upstream upstream.example has no address in DNS (ENOTFOUND).'],
    ['EAI_AGAIN', 'Upstream upstream.example could not be looked up: DNS does not answer (EAI_AGAIN).'],
    ['ECONNREFUSED', 'Upstream upstream.example refused the connection (ECONNREFUSED).'],
    ['ECONNRESET', 'Upstream upstream.example closed the connection (ECONNRESET).'],
    ['UND_ERR_SOCKET', 'Upstream upstream.example closed the connection (UND_ERR_SOCKET).'],
    [
      'UND_ERR_CONNECT_TIMEOUT',
      'Upstream upstream.example did not answer within --connect-timeout (UND_ERR_CONNECT_TIMEOUT).',
    ],
    [
      'CERT_HAS_EXPIRED',
      'Upstream upstream.example has a certificate that has expired (or the clock is wrong) (CERT_HAS_EXPIRED).',
    ],
    ['HPE_INVALID_CONSTANT', 'Upstream upstream.example does not speak HTTP there (HPE_INVALID_CONSTANT).'],
    ['EWHATEVER', 'Upstream upstream.example could not be reached (EWHATEVER).'],
  ])('%s: says who failed and why', (code, message) => {
    expect(explainFailure(failure(code), ORIGIN, undefined, HEADER_TIMEOUT_MS)).toMatchObject({
      code: 'upstream_unreachable',
      status: 502,
      message,
    })
  })

  test('an answer that is not HTTP is told as that', async () => {
    const server = createServer((socket) => void socket.end('SSH-2.0-x\r\n'))
    const agent = new Agent()
    try {
      const origin = new URL(`http://127.0.0.1:${await listenOnLoopback(server)}`)
      const asked = agent.request({ origin, path: '/', method: 'GET' })
      const failure = await asked.then(() => new Error('It was answered.'), toError)
      expect(explainFailure(failure, origin, undefined, HEADER_TIMEOUT_MS)).toMatchObject({
        code: 'upstream_unreachable',
        message: `Upstream ${origin.host} does not speak HTTP there.`,
      })
    } finally {
      await agent.destroy()
      server.close()
    }
  })

  test.each([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ])('%s: a certificate nobody signed names the variable and the proxy that may have put it there', (code) => {
    const error = explainFailure(failure(code), ORIGIN, 'http://127.0.0.1:3128', HEADER_TIMEOUT_MS)
    expect(error.message).toContain('NODE_EXTRA_CA_CERTS')
    expect(error.message).toContain('through the outbound proxy http://127.0.0.1:3128')
  })

  test.each([
    [
      'darwin',
      'is not reachable from this network (EHOSTUNREACH; in the local network that needs a permission: System Settings, Privacy & Security, Local Network)',
    ],
    ['linux', 'is not reachable from this network (EHOSTUNREACH)'],
  ] as const)('on %s a host that can not be reached %s', (platform, reason) => {
    const system = vi.spyOn(process, 'platform', 'get').mockReturnValue(platform)
    const said = reasonOf(failure('EHOSTUNREACH'))
    system.mockRestore()
    expect(said).toBe(reason)
  })

  test('a module that is gone is no fault of upstream or the network', () => {
    const error = explainFailure(failure('MODULE_NOT_FOUND'), ORIGIN, undefined, HEADER_TIMEOUT_MS)
    expect(error).toMatchObject({ code: 'program_replaced', status: 500 })
    expect(errorBody(error).error.message).toMatch(
      /the package was removed or replaced while it ran\. Restart the proxy/,
    )
  })

  test('silence before an answer is a timeout with its length and its setting', () => {
    expect(explainFailure(failure('UND_ERR_HEADERS_TIMEOUT'), ORIGIN, undefined, HEADER_TIMEOUT_MS)).toMatchObject({
      code: 'upstream_timeout',
      message: 'Upstream upstream.example did not begin its answer within 600 s (--header-timeout).',
    })
  })

  test('a failure of the outbound proxy names it, and the remedy says how to go without', () => {
    const cause = new OutboundProxyError(
      'The outbound proxy http://127.0.0.1:3128 refused the connection (ECONNREFUSED).',
    )
    const error = explainFailure(cause, ORIGIN, 'http://127.0.0.1:3128', HEADER_TIMEOUT_MS)
    expect(error.code).toBe('outbound_proxy_failed')
    expect(errorBody(error).error.message).toContain('--proxy none')
  })

  test('of several addresses the first failure counts; a cause is looked into', () => {
    expect(reasonOf(new AggregateError([failure('ECONNREFUSED'), failure('ENETUNREACH')]))).toBe(
      'refused the connection (ECONNREFUSED)',
    )
    expect(reasonOf(new TypeError('fetch failed', { cause: failure('ENOTFOUND') }))).toBe(
      'has no address in DNS (ENOTFOUND)',
    )
    expect(reasonOf(new Refusal('answered 502'))).toBe('answered 502')
    expect(reasonOf('nonsense')).toBe('could not be reached')
  })

  test('a limit on address space is named, and what to do about it', () => {
    const error = new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance')
    expect(reasonOf(error)).toMatch(/^could not be reached: .*`ulimit -v`.* NODE_OPTIONS=--disable-wasm-trap-handler$/)
    expect(reasonOf(new RangeError('Invalid array length'))).toBe('could not be reached')
  })
})
