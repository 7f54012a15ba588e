import { expect, test } from 'vitest'
import { UsageError } from '../config/usage-error.ts'
import { checkUpstreams } from './own-upstream.ts'

const OURS = {
  host: '127.0.0.1',
  port: 8765,
  chatgptBaseUrl: 'https://chatgpt.com/backend-api/codex',
  openaiBaseUrl: 'https://api.openai.com/v1',
}

test.each(['127.0.0.1', '0.0.0.0', '::', 'localhost'])('at %s a server is not its own upstream', (host) => {
  for (const base of ['http://127.0.0.1:8765/v1', 'http://localhost:8765', 'http://[::1]:8765/v1']) {
    expect(() => checkUpstreams({ ...OURS, host, openaiBaseUrl: base })).toThrow(UsageError)
    expect(() => checkUpstreams({ ...OURS, host, chatgptBaseUrl: base })).toThrow(/^CODEX_API_PROXY_CHATGPT_BASE_URL: /)
  }
})

test('nor at the port that a scheme stands for', () => {
  for (const [port, openaiBaseUrl] of [
    [443, 'https://localhost/v1'],
    [80, 'http://localhost/v1'],
  ] as const) {
    expect(() => checkUpstreams({ ...OURS, port, openaiBaseUrl })).toThrow(UsageError)
    checkUpstreams({ ...OURS, port: port + 1, openaiBaseUrl })
  }
})

test('another server of this machine may be, and one of another address', () => {
  checkUpstreams(OURS)
  checkUpstreams({ ...OURS, openaiBaseUrl: 'http://127.0.0.1:8766/v1' })
  checkUpstreams({ ...OURS, openaiBaseUrl: 'https://upstream.example:8765/v1' })
  checkUpstreams({ ...OURS, host: '192.0.2.7', openaiBaseUrl: 'http://127.0.0.1:8765/v1' })
})
