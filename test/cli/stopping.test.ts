import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fake-upstream/server.ts'
import { chatgptAuth } from '../support/auth-files.ts'
import { type HeldStream, startHeldStream, untilRefused } from '../support/held-stream.ts'
import { createHome, type Home, type Result, run } from '../support/program.ts'

// What other commands make of a server that is stopping: it lets a long answer finish.

let home: Home
let upstream: FakeUpstream
let env: Record<string, string>
beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(chatgptAuth())
  upstream = await startFakeUpstream()
  env = { CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl, CODEX_API_PROXY_HTTPS_PROXY: 'none' }
})
afterEach(async () => {
  await home.remove()
  await upstream.close()
})

const command = (...args: string[]) => run(args, { home, env })

type Stopping = { readonly pid: number; readonly stream: HeldStream; readonly stopped: Promise<Result> }

/** A server that was asked to stop while it answers. */
async function startStopping(...args: string[]): Promise<Stopping> {
  const { stdout } = await command('start', '--port', '0')
  const [, url = '', pid = ''] = /^Started: (http\S+)\/v1 \(process (\d+)\)\n/.exec(stdout) ?? []
  const stream = await startHeldStream(upstream, url)
  const stopped = command('stop', ...args)
  await untilRefused(url)
  return { pid: Number(pid), stream, stopped }
}

test('`stop --drain-timeout` cuts answers that take longer, whatever the server was started with', async () => {
  const { pid, stream, stopped } = await startStopping('--drain-timeout', '100ms')
  expect(await stream.rest()).toMatch(/one.*"code":"draining"[^\n]*\n\n$/s)
  expect(await stopped).toEqual({ code: 0, stdout: `Stopped process ${pid}.\n`, stderr: '' })
  stream.gate.open()
})
