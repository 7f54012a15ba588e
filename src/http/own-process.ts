import type { Route } from '../routes/api-request.ts'
import { packageVersion } from '../version.ts'

/**
 * Adds to what a route tells which process of which version answers, for those who have the client key: the run files
 * may be lost, and the program on the disk newer than the one that runs.
 */
export function tellingProcess(route: Route): Route {
  // Read once: after an upgrade package.json tells of the new one.
  const own = { pid: process.pid, version: packageVersion() }
  return async (request) => {
    const answer = await route(request)
    if (answer === undefined || !request.authenticated) return answer
    const { body } = answer
    return typeof body === 'string' || Buffer.isBuffer(body) ? answer : { ...answer, body: { ...body, ...own } }
  }
}
