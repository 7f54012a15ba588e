import { createRequire } from 'node:module'
import type * as Undici from 'undici'

type Require = (path: string) => unknown

/**
 * The two parts of undici that send requests. The whole package would also load fetch, WebSocket, caches, mocks and
 * Node's own undici: 50 ms and 9 MB for nothing (docs/performance.md). undici does not guarantee where its parts are,
 * so the whole package is loaded if they are not there.
 */
export function loadUndiciParts(load: Require): Pick<typeof Undici, 'Agent' | 'buildConnector'> {
  const Agent = partAt(load, 'undici/lib/dispatcher/agent.js')
  const buildConnector = partAt(load, 'undici/lib/core/connect.js')
  const whole = Agent === undefined || buildConnector === undefined ? load('undici') : { Agent, buildConnector }
  return whole as typeof Undici
}

function partAt(load: Require, path: string): unknown {
  try {
    const part = load(path)
    return typeof part === 'function' ? part : undefined
  } catch {
    return undefined
  }
}

export const { Agent, buildConnector } = loadUndiciParts(createRequire(import.meta.url))
