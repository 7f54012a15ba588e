import { expect, test } from 'vitest'
import type { Config } from '../../../config/options.ts'
import { explainStart } from './explain-start.ts'

const configWith = (port: number) => ({ host: '127.0.0.1', port, tlsCert: undefined }) as Config
const refused = (port: number) => ({ reason: `listen EACCES: permission denied 127.0.0.1:${port}`, code: 'EACCES' })

test.each([
  [1023, 'ports below 1024 usually need elevated privileges.'],
  [
    1024,
    'the system has reserved that port (on Windows, `netsh interface ipv4 show excludedportrange protocol=tcp` lists such ports).',
  ],
])('why port %i may not be used is said by its number', async (port, reason) => {
  expect(await explainStart(refused(port), configWith(port))).toBe(
    `Listening on http://127.0.0.1:${port} is not permitted; ${reason} Choose another --port.`,
  )
})

test.each(['ENOTFOUND', 'EAI_AGAIN'])('a name that leads nowhere (%s) is told as one', async (code) => {
  const failure = { reason: `getaddrinfo ${code} 127.0.0.1`, code }
  expect(await explainStart(failure, configWith(80))).toBe(
    'The name 127.0.0.1 could not be looked up. Choose another --host.',
  )
})

test('a file that may not be used is no port', async () => {
  const failure = { reason: "Can't use /log: permission denied.", code: 'EACCES' }
  expect(await explainStart(failure, configWith(80))).toBe(failure.reason)
})
