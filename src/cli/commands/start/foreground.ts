import { type GivenSettings, loadConfig } from '../../../config/load.ts'
import type { Config } from '../../../config/options.ts'
import { ignoreHabitualSignals, stopOnSignals } from '../../../daemon/signals.ts'
import { type ListeningServer, serve } from '../../../http/serve.ts'
import { readableLines } from '../../../telemetry/readable-lines.ts'
import { limitUnread } from '../../../telemetry/unread-lines.ts'
import { packageVersion } from '../../../version.ts'
import type { Context, ExitCode } from '../../context.ts'
import { explain } from '../../explain.ts'
import { shownAddress } from '../../server-address.ts'
import type { TerminalLog } from '../../terminal-log.ts'
import { withExplanation } from './explain-start.ts'

/** How long the end of the log may take to be read. What nobody reads would keep the process for ever. */
const LAST_LINES_MS = 1000

/** `start --foreground`: serves in this process until a signal. It keeps no run files. */
export async function startInForeground(context: Context, flags: GivenSettings): Promise<ExitCode> {
  ignoreHabitualSignals(process)
  const { print } = context
  const { config } = loadConfig({ ...context, flags })
  const log = print.openLog()
  const server = await listen(config, log)
  const reporter = {
    draining() {
      // If stderr is not a terminal it contains only the log, which says the same.
      if (log.isTerminal) {
        print.note('Stopping; running answers may finish. A second signal (Ctrl-C) ends it at once.')
      }
    },
    failed: (error: unknown) => print.note(`codex-api-proxy: stopping failed: ${explain(error)}`),
  }
  const release = stopOnSignals(process, server, reporter, 'stop')
  // Not earlier: whoever reads this line may send a signal at once.
  print.line(`codex-api-proxy ${packageVersion()} listens on ${shownAddress(server.url)}`)
  // A service manager starts only what has failed again.
  const exitCode = await server.finished
  release()
  if (!(await log.isRead(LAST_LINES_MS))) process.exit(exitCode)
  return exitCode
}

async function listen(config: Config, log: TerminalLog): Promise<ListeningServer> {
  try {
    // Readable lines for a person; JSON for a service manager or a file.
    const lines = log.isTerminal ? readableLines(log.write, log.isColoured) : log
    return await serve(config, limitUnread(lines, log.unread))
  } catch (error) {
    throw await withExplanation(error, config)
  }
}
