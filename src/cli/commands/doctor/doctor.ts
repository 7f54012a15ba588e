import { type GivenSettings, loadConfig, OPTION_NAMES } from '../../../config/load.ts'
import { UsageError } from '../../../config/usage-error.ts'
import { NOTHING_SAVED } from '../../../daemon/state-file.ts'
import type { AskedServer } from '../../ask-server.ts'
import type { Call } from '../../command.ts'
import type { Context, ExitCode } from '../../context.ts'
import { explain } from '../../explain.ts'
import { healthOf } from '../../health.ts'
import { atNamedPort, type Located, locate, reach, UNREAD_REMEDY } from '../../locate.ts'
import type { Print } from '../../print.ts'
import { type Check, postponed, problem } from './check.ts'
import { checkCertificate } from './check-certificate.ts'
import { checkNetwork } from './check-network.ts'
import { checkPermissions } from './check-permissions.ts'
import { checkProcess } from './check-process.ts'
import { type Asked, checkCall, checkLogin, checkModels, startPrivately } from './check-server.ts'

/** A private server is in this process and never silent; where it answers late, all of the machine is slow. */
const PRIVATE_LIMIT_MS = 60_000

const MARKS = { ok: ['ok', 'green'], problem: ['fix', 'red'], skipped: ['-', 'dim'] } as const

/** Checks everything a request needs; asks the running server, or a private one. */
export async function doctor(context: Context, { settings, flags }: Call): Promise<ExitCode> {
  const { print } = context
  if (flags.model !== undefined && flags.call !== true) {
    throw new UsageError('--model names the model that --call uses: add --call.')
  }
  const found = await find(context, settings)
  const named = atNamedPort(context, found.located, settings)
  const reached = await reach(named)
  // Where no server answers, the settings of the next start are what matters.
  const located = reached === undefined ? found.located : named
  let done = () => {}
  const interrupted = () => {
    done()
    print.note('Ending, after any token refresh in progress.')
  }
  const asked = reached === undefined ? await startPrivately(located.loaded.config, interrupted) : running(reached)
  done = print.progress('Checking …')
  const checks = await checkAll({ ...found, located }, reached, asked, flags).finally(async () => {
    done()
    await asked.end()
  })
  const healthy = checks.every(({ state }) => state !== 'problem')
  if (flags.json === true) print.json({ ok: healthy, checks })
  else show(print, checks)
  return healthy ? 0 : 1
}

async function checkAll(
  { located, unread }: Found,
  reached: AskedServer | undefined,
  asked: Asked,
  flags: Call['flags'],
): Promise<Check[]> {
  const { config } = located.loaded
  const health = await healthOf(asked, reached === undefined ? PRIVATE_LIMIT_MS : undefined)
  const checks = [
    ...checkLogin(health, config),
    ...(await checkNetwork(config, new URL(health?.upstream ?? config.chatgptBaseUrl))),
    ...(unread ?? (await checkProcess(located, reached, health))),
    ...(await checkCertificate(reached, config)),
    checkPermissions(config, health?.login?.file),
  ]
  // Don't wait again for a server that has just failed to answer.
  const { check, models } = health === undefined ? { check: postponed('Models'), models: [] } : await checkModels(asked)
  checks.push(unlessTold(check, checks))
  if (flags.call === true) checks.push(unlessTold(await checkCall(asked, models, flags.model), checks))
  return checks
}

type Found = { readonly located: Located; readonly unread?: readonly Check[] }

/** Unreadable run files are one problem to report, and no reason to skip the other checks. */
async function find(context: Context, settings: GivenSettings): Promise<Found> {
  try {
    return { located: await locate(context, settings, { needed: OPTION_NAMES, withoutState: 'never' }) }
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof Error)) throw error
    const reason = explain(error.cause ?? error)
    // Deleting is suggested only if reading failed: a file with other content may be needed.
    const remedy = error.cause === undefined ? 'Or choose others with --state-file and --pid-file.' : UNREAD_REMEDY
    const located = { loaded: loadConfig({ ...context, flags: settings }), saved: NOTHING_SAVED, running: undefined }
    return { located, unread: [problem('Run files', reason, remedy), postponed('Process'), postponed('Port')] }
  }
}

/** Checks without which no request succeeds. */
const CAUSES = new Set(['Login', 'Outbound proxy', 'DNS', 'TLS', 'Upstream'])

/** A failure that follows from an earlier one is not a second thing to fix. */
function unlessTold(check: Check, before: readonly Check[]): Check {
  const isTold = before.some(({ name, state }) => state === 'problem' && CAUSES.has(name))
  return isTold && check.state === 'problem' ? postponed(check.name) : check
}

function running(reached: AskedServer): Asked {
  return { ...reached, whereToLook: 'See the log: `codex-api-proxy logs`.', end: async () => {} }
}

function show(print: Print, checks: readonly Check[]): void {
  const rows = checks.flatMap(({ name, state, message, remedy }) => {
    const [mark, style] = MARKS[state]
    const row = [print.style(style, mark), name, message]
    return remedy === undefined ? [row] : [row, ['', '', `→ ${remedy}`]]
  })
  print.table(rows)
}
