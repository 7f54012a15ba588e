import type { UpstreamStats } from './upstream.ts'

/** What the fake upstream at `port` has seen. */
export async function upstreamStats(port: number): Promise<UpstreamStats> {
  const answer = await fetch(`http://127.0.0.1:${port}/bench/stats`)
  return (await answer.json()) as UpstreamStats // made by our own upstream
}

/** Closes its connections that no answer is on its way on. */
export async function closeIdleConnections(port: number): Promise<void> {
  await (await fetch(`http://127.0.0.1:${port}/bench/close-idle`)).text()
}
