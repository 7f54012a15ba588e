import type { Call } from './commands.ts'
import type { Context, Outcome } from './context.ts'

export async function doctor(_context: Context, _call: Call): Promise<Outcome> {
  throw new Error('Not yet.')
}
