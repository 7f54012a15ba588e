/** One setting: where it can be given, what it means, and how its text is read. */
export type Option<Value> = {
  /** As commander reads it, e.g. `--port <number>`. Absent: only the variable sets it. */
  readonly flag?: string
  /** Variables that set it, the first that is set wins. */
  readonly env?: readonly string[]
  readonly default: Value
  readonly help: string
  readonly group: 'server' | 'security' | 'upstream' | 'conversion' | 'limits' | 'daemon'
  /** Throws a UsageError that says what is allowed. */
  readonly parse: (given: string) => Value
  /** May be given several times, or several values separated by commas: they add up. */
  readonly repeatable?: boolean
  /**
   * A secret is never in the state file: `restart` finds it in a separate file (daemon/state-file.ts). It is never
   * shown: either the `whole` value is hidden, or only the `login` in its URL.
   */
  readonly secret?: 'whole' | 'login'
  /** A path: `~` and relative ones are made absolute when settings are loaded, since the daemon runs elsewhere. */
  readonly path?: boolean
  readonly choices?: readonly string[]
}

/** Makes a row and infers the type of its value; a choice keeps the type of its words. */
export const option = <const Value>(definition: Option<Value>): Option<Value> => definition
