import type { GivenSettings } from '../config/load.ts'
import type { Config } from '../config/options.ts'
import { stopOnSignals } from '../daemon/signals.ts'
import { type ListeningServer, serve } from '../http/serve.ts'
import { readableLines } from '../telemetry/readable-lines.ts'
import { packageVersion } from '../version.ts'
import type { Context, Outcome } from './context.ts'
import { explain } from './explain.ts'
import { inWords } from './explain-start.ts'
import { loadSettings } from './load-settings.ts'
import type { Print } from './print.ts'

/** `start --foreground`: serves in this process until a signal. It keeps no run files. */
export async function startInForeground(context: Context, flags: GivenSettings): Promise<Outcome> {
  const { print } = context
  const { config } = loadSettings(context, flags)
  const server = await listen(config, print)
  const reporter = {
    draining() {
      // Elsewhere the log says the same, and is all that stderr holds.
      if (print.logIsTerminal) {
        print.note('Stopping; running answers may finish. A second signal (Ctrl-C) ends at once.')
      }
    },
    failed: (error: unknown) => print.note(`codex-api-proxy: stopping failed: ${explain(error)}`),
  }
  const release = stopOnSignals(process, server, reporter, 'stop')
  // Only now: whoever reads this may stop it at once.
  print.line(`codex-api-proxy ${packageVersion()} listens on ${server.url}/v1`)
  await server.finished
  release()
  return 0
}

async function listen(config: Config, print: Print): Promise<ListeningServer> {
  try {
    // Readable for a person; what a service manager or a file collects stays JSON.
    const logTo = print.logIsTerminal ? readableLines(print.log, print.logIsColoured) : { write: print.log }
    return await serve(config, logTo)
  } catch (error) {
    throw await inWords(error, config)
  }
}
