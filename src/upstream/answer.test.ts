import { expect, test } from 'vitest'
import { ProxyStopped } from '../cancellation.ts'
import { cutError, UpstreamSilent } from './answer.ts'

const BROKE_OFF = 'Upstream ended its answer early.'

test('a body that the proxy ended says so', () => {
  const stopped = new ProxyStopped()
  expect(cutError(stopped, BROKE_OFF)).toBe(stopped)
})

test.each([
  [new UpstreamSilent('Upstream fell silent.'), 'upstream_timeout', 'Upstream fell silent.'],
  [new Error('other side closed'), 'upstream_stream_cut', BROKE_OFF],
])('a body that failed with "%s" is told as %s, with what it failed with', (cause, code, message) => {
  expect(cutError(cause, BROKE_OFF)).toMatchObject({ code, message, cause })
})
