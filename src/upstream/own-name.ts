import { arch, platform, release } from 'node:os'
import { packageVersion } from '../version.ts'

/** Upstream is told who asks, never another client's name. */
export const ORIGINATOR = 'codex-api-proxy'

/** In the form Codex has (docs/upstream.md 4.2): the CDN refuses the names of plain HTTP libraries. */
export function userAgent(): string {
  return `${ORIGINATOR}/${packageVersion()} (${platform()} ${release()}; ${arch()})`
}
