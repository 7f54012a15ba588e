import { createCredentialSource } from '../../src/credentials/credential-source.ts'
import { post } from '../support/login-stage.ts'
import { workClock } from './work-clock.ts'

/** What a worker is started with, as JSON in its first argument. */
export type WorkerTask = {
  readonly name: string
  readonly codexHome: string
  readonly tokenUrl: string
  readonly useUrl: string
  readonly start: number
  /** The file of its clock. */
  readonly clock: string
}

/** What it reports when it is told to stop. */
export type WorkerReport = { readonly served: number; readonly failures: readonly string[] }

/** Does what the proxy does with its login, request after request, until the parent says stop. */
async function work(task: WorkerTask): Promise<void> {
  const failures: string[] = []
  const source = createCredentialSource({
    codexHome: task.codexHome,
    mode: 'read-write',
    postToken: post,
    overrides: { refreshUrl: task.tokenUrl, clientId: task.name },
    now: workClock(task.start, task.clock),
    // On a busy machine the Codex of the test, one process with issuer and upstream, may take long to write what it got.
    healingMs: 20_000,
    warn: (_fields, message) => failures.push(`warned: ${message}`),
  })
  let stopped = false
  process.once('message', () => {
    stopped = true
  })
  let served = 0
  while (!stopped) {
    try {
      if (await request()) served += 1
      else failures.push('upstream refused the last token, too')
    } catch (error) {
      failures.push(String(error))
    }
  }
  await source.close()
  const report: WorkerReport = { served, failures }
  process.send?.(report, () => process.disconnect())

  async function request(): Promise<boolean> {
    let credentials = await source.current()
    for (let step = 0; ; step++) {
      if (credentials.kind !== 'chatgpt') return false
      const { status } = await fetch(task.useUrl, { headers: { authorization: `Bearer ${credentials.accessToken}` } })
      if (status === 200) return true
      if (step === 2) return false
      credentials = await source.replace(credentials)
    }
  }
}

await work(JSON.parse(process.argv[2] ?? ''))
