import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'

type Level = Parameters<typeof createLogger>[0]

function start(level: Level) {
  const lines: string[] = []
  return { lines, logger: createLogger(level, { write: (line) => lines.push(line) }) }
}

test('a line holds time, level and message besides its fields, and nothing of the machine', () => {
  const { lines, logger } = start('info')
  logger.warn({ code: 'login_expired' }, 'log in again')
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    code: 'login_expired',
    msg: 'log in again',
  })
})

test.each<[Level, string[]]>([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['warning', ['warn', 'error']],
  ['error', ['error']],
])('at %s the lines are those of %j', (level, expected) => {
  const { lines, logger } = start(level)
  logger.debug('x')
  logger.info('x')
  logger.warn('x')
  logger.error('x')
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(expected)
})

test.each([
  'authorization',
  'apiKey',
  'clientKey',
  'accessToken',
  'refreshToken',
  'idToken',
  'cookie',
  'headers',
  'tokens',
])('what a caller puts under the name %s is not written, down to two levels below', (name) => {
  const { lines, logger } = start('debug')
  const secret = { [name]: { value: 'sk-secret' } }
  logger.info({ ...secret, kept: 1, a: { ...secret, kept: 2, b: { ...secret, kept: 3 } } }, 'x')
  const hidden = { [name]: '[redacted]' }
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    ...hidden,
    kept: 1,
    a: { ...hidden, kept: 2, b: { ...hidden, kept: 3 } },
  })
  expect(lines[0]).not.toContain('sk-secret')
})
