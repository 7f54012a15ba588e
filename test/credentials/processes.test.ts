import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { claimsOf } from '../../src/credentials/access-token.ts'
import { startLoginStage } from '../support/login-stage.ts'
import { listenOnLoopback } from '../support/loopback.ts'
import { refreshLikeCodex } from './like-codex.ts'
import { moveClock, workClock } from './work-clock.ts'
import type { WorkerReport, WorkerTask } from './worker.ts'

const HOUR = 3600_000
/** A minute more than the margin at which tokens are refreshed: sixty expiries an hour. */
const LIFETIME = 6 * 60_000
/** How many requests each process makes at least: a request may take three, and the last is still under way. */
const LEAST = 40
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))

test('four processes and a Codex on one login lose no token and fail no request, for an hour of expiries', async () => {
  const start = Date.now()
  const folder = await mkdtemp(join(tmpdir(), 'codex-api-proxy-clock-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const clock = join(folder, 'seconds')
  moveClock(clock)
  const now = workClock(start, clock)
  const stage = await startLoginStage({ lifetimeMs: LIFETIME, now })
  const names = ['ours-1', 'ours-2', 'ours-3', 'ours-4']
  const asked = new Map(names.map((name) => [name, 0]))
  const upstream = await startUpstream((name, token) => {
    moveClock(clock)
    asked.set(name, (asked.get(name) ?? 0) + 1)
    return stage.issuer.knows(token) && expiry(token) > now()
  })
  await stage.writeAuth(stage.issuer.login())
  const task = { codexHome: stage.codexHome, tokenUrl: stage.issuer.url, start, clock }
  const workers = names.map((name) => startWorker({ ...task, name, useUrl: `${upstream.url}${name}` }))
  let written = 0
  let stopped = false
  const codex = refreshLikeCodex({
    ...stage,
    tokenUrl: stage.issuer.url,
    now,
    wrote: () => written++,
    stopped: () => stopped,
  })

  const generations = () => stage.issuer.requests.length - stage.issuer.reuses
  // On a busy machine some have hardly begun when others have done the work of an hour.
  const allTookPart = () => Math.min(...asked.values()) > LEAST && written > 0
  await expect
    .poll(() => now() - start > HOUR && generations() > 40 && allTookPart(), { timeout: 150_000, interval: 100 })
    .toBe(true)
  stopped = true
  await codex
  const reports = await Promise.all(workers.map(stopWorker))

  expect(reports.flatMap((report) => report.failures)).toEqual([])
  expect(Math.min(...reports.map((report) => report.served))).toBeGreaterThan(10)
  expect(stage.issuer.requests.some((request) => request.client_id !== 'codex')).toBe(true)
  // Among our own processes no token is presented twice; with Codex, which knows no lock of ours, it may be.
  const ours = stage.issuer.requests.filter((request) => request.client_id !== 'codex')
  expect(new Set(ours.map((request) => request.refresh_token)).size).toBe(ours.length)
  expect(stage.issuer.isRedeemable((await stage.readAuth()).tokens.refresh_token ?? '')).toBe(true)
  await upstream.close()
  await stage.close(reports)
})

function expiry(token: string): number {
  return Number(claimsOf(token).exp) * 1000
}

/** Answers 200 to good access tokens and 401 to others; who asks is the path. */
async function startUpstream(isGood: (name: string, token: string) => boolean) {
  const server = createServer((request, response) => {
    const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
    response.writeHead(isGood(request.url?.slice(1) ?? '', token) ? 200 : 401).end()
  })
  const port = await listenOnLoopback(server)
  return {
    url: `http://127.0.0.1:${port}/`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function startWorker(task: WorkerTask): ChildProcess {
  return fork(WORKER, [JSON.stringify(task)], { execArgv: ['--import', 'tsx'] })
}

async function stopWorker(worker: ChildProcess): Promise<WorkerReport> {
  const reported = once(worker, 'message')
  const ended = once(worker, 'exit')
  worker.send('stop')
  const [report] = await reported
  await ended
  return report as WorkerReport
}
