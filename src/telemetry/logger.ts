import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'
import type { Config } from '../config/options.ts'

export type Logger = PinoLogger

const PINO_LEVELS = { debug: 'debug', info: 'info', warning: 'warn', error: 'error' } as const

/** Values under these names never reach a log, wherever a caller put them. */
const SECRET_PATHS = [
  'authorization',
  'apiKey',
  'clientKey',
  'accessToken',
  'refreshToken',
  'idToken',
  'cookie',
  'headers',
  'tokens',
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

/** JSON lines to `destination`, which decides what to do with them (a file, readable lines in a terminal). */
export function createLogger(level: Config['logLevel'], destination: DestinationStream): Logger {
  return pino(
    {
      level: PINO_LEVELS[level],
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    },
    destination,
  )
}
