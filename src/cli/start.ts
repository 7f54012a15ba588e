import type { GivenSettings } from '../config/load.ts'
import type { Config } from '../config/options.ts'
import { stopOnSignals } from '../daemon/signals.ts'
import { packageVersion } from '../version.ts'
import { type Context, loadSettings, type Outcome } from './context.ts'

export async function start(
  context: Context,
  flags: GivenSettings,
  { foreground }: { foreground: boolean },
): Promise<Outcome> {
  const loaded = loadSettings(context, flags)
  if (foreground) return await runInForeground(context, loaded.config)
  throw new Error('Not yet.')
}

async function runInForeground({ print }: Context, config: Config): Promise<Outcome> {
  const { serve } = await import('../http/serve.ts')
  const server = await serve(config, {
    logDestination: 'terminal',
    onReady: ({ url }) => print.line(`codex-api-proxy ${packageVersion()} listens on ${url}/v1`),
  })
  const release = stopOnSignals(process, server, {
    draining: () => print.note('Stopping: running answers may finish. Press Ctrl-C again to end at once.'),
    failed: (error) => print.note(`Stopping failed: ${error instanceof Error ? error.message : String(error)}`),
  })
  await server.finished
  release()
  return 0
}
