import { createServer, type RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'
import { listenOnLoopback } from './loopback.ts'

/** The URL of a server that answers so until the test has finished. */
export async function serving(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${await listenOnLoopback(server)}`
}
