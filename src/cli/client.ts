export type Model = {
  readonly id: string
  readonly name: string
  /** Takes images. */
  readonly images: boolean
  /** Thinks before it answers. */
  readonly reasoning: boolean
  /** Tokens; absent when unknown. */
  readonly contextWindow?: number
  readonly maxOutput?: number
}

export type Server = {
  /** With `/v1`. */
  readonly baseUrl: string
  /** What clients send as key; a server without one takes anything. */
  readonly key: string
  readonly needsKey: boolean
  /** The model to name. */
  readonly model: Model
  readonly models: readonly Model[]
}

export type Client = {
  readonly name: string
  readonly title: string
  readonly render: (server: Server) => string
}

/** A double-quoted string of JSON, which YAML, TOML, Python and JavaScript read alike. */
export function string(text: string): string {
  return JSON.stringify(text)
}

export function shell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
