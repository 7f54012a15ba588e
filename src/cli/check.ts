/** One thing that `doctor` looked at. */
export type Check = {
  readonly name: string
  readonly state: 'ok' | 'problem' | 'skipped'
  readonly message: string
  /** What to do about a problem. */
  readonly remedy?: string
}

export function ok(name: string, message: string): Check {
  return { name, state: 'ok', message }
}

export function problem(name: string, message: string, remedy: string): Check {
  return { name, state: 'problem', message, remedy }
}

export function skipped(name: string, message: string): Check {
  return { name, state: 'skipped', message }
}
