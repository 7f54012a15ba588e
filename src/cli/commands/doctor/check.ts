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

/** Remedies of the proxy's errors send people to `doctor`, which is where they are already. */
const TO_DOCTOR = / with `codex-api-proxy doctor`/

export function problem(name: string, message: string, remedy: string): Check {
  return { name, state: 'problem', message: message.replace(TO_DOCTOR, ''), remedy: remedy.replace(TO_DOCTOR, '') }
}

export function skipped(name: string, message: string): Check {
  return { name, state: 'skipped', message }
}

/** A check that can't succeed until a problem reported before it is fixed. */
export function postponed(name: string): Check {
  return skipped(name, 'Not checked: fix the problem above first.')
}
