import type { Foreground } from './program.ts'

export type LogLine = { readonly level: string; readonly msg: string; readonly [field: string]: unknown }

/** The log of a server in the foreground, which a pipe gets as JSON. */
export function logLines(proxy: Pick<Foreground, 'stderr'>): LogLine[] {
  return proxy
    .stderr()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
}

/** The one line each request leaves. */
export function requestLines(proxy: Pick<Foreground, 'stderr'>): LogLine[] {
  return logLines(proxy).filter(({ name }) => name === 'codex_api_proxy.latency')
}
