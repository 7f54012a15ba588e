import type { Model } from './models.ts'

export type Server = {
  /** With `/v1`. */
  readonly baseUrl: string
  /** What clients send as key; a server without one takes anything. */
  readonly key: string
  readonly needsKey: boolean
  /** The one to name. */
  readonly model: Model
  /** It first, then the others to offer. */
  readonly models: readonly Model[]
}

export type Client = {
  readonly name: string
  readonly title: string
  /** Whole lines. */
  readonly render: (server: Server) => string
}

/** A double-quoted string of JSON, which YAML, TOML, Python and JavaScript read alike. */
export function quoted(text: string): string {
  return JSON.stringify(text)
}
