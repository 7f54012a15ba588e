import type { Model } from '../../models.ts'
import type { ShellForm } from '../../shell.ts'

/** The name of the proxy in a client's list of providers. */
export const PROVIDER = 'codex-api-proxy'

export type Server = {
  /** With `/v1`. */
  readonly baseUrl: string
  /** What clients send as key; a server without one takes anything. */
  readonly key: string
  readonly needsKey: boolean
  /** The model to use by default. */
  readonly model: Model
  /** That model first, then the others to offer. */
  readonly models: readonly Model[]
  /** The shell in which commands and variables are typed. */
  readonly shell: ShellForm
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
