import type { Call } from './commands.ts'
import type { Context, Outcome } from './context.ts'

export async function completion(_context: Context, _call: Call): Promise<Outcome> {
  throw new Error('Not yet.')
}
