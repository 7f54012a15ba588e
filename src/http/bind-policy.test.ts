import { expect, test } from 'vitest'
import { UsageError } from '../config/usage-error.ts'
import { checkBind } from './bind-policy.ts'

type Settings = Parameters<typeof checkBind>[0]

function warningsFor(settings: Partial<Settings>): string[] {
  const warnings: string[] = []
  const defaults = { host: '127.0.0.1', insecureNoKey: false, tlsCert: undefined, clientKey: undefined }
  checkBind({ ...defaults, ...settings }, (text) => warnings.push(text))
  return warnings
}

test.each(['127.0.0.1', '127.0.0.2', 'localhost', '::1'])('%s needs no key', (host) => {
  expect(warningsFor({ host })).toEqual([])
})

test.each(['0.0.0.0', '::', '192.168.1.5', 'fd00::5', 'my-machine', 'localhost.example', '128.0.0.1'])(
  '%s without a key is refused, with every way out',
  (host) => {
    expect(() => warningsFor({ host })).toThrow(UsageError)
    expect(() => warningsFor({ host })).toThrow(/--api-key-file.*127\.0\.0\.1.*--insecure-no-key/)
  },
)

test('with key and TLS there is nothing to warn of', () => {
  expect(warningsFor({ host: '0.0.0.0', clientKey: 'k', tlsCert: 'cert.pem' })).toEqual([])
})

test('a key sent in the clear is warned of', () => {
  expect(warningsFor({ host: '0.0.0.0', clientKey: 'k' })).toEqual([expect.stringContaining('not encrypted')])
})

test('whoever insists gets a warning', () => {
  expect(warningsFor({ host: '0.0.0.0', insecureNoKey: true })).toEqual([
    expect.stringContaining('Anyone'),
    expect.stringContaining('not encrypted'),
  ])
})
