import { once } from 'node:events'
import { createServer } from 'node:net'
import { bindAddress } from '../../../config/endpoint.ts'
import type { Config } from '../../../config/options.ts'
import { withExplanation } from './explain-start.ts'

/** Throws the reason why a server can't listen there now. */
export async function tryToListen({ host, port }: Pick<Config, 'host' | 'port'>): Promise<void> {
  const server = createServer()
  try {
    server.listen(port, bindAddress(host))
    await once(server, 'listening')
  } finally {
    server.close()
  }
}

/**
 * The same, with a reason in helpful words. A port that is in use by the server to be replaced becomes free only when
 * that one ends, so in that case only the host is tried.
 */
export async function checkAddress(config: Config, isOwnPort: boolean): Promise<void> {
  const tried = isOwnPort ? { ...config, port: 0 } : config
  try {
    await tryToListen(tried)
  } catch (error) {
    throw await withExplanation(error, tried)
  }
}
