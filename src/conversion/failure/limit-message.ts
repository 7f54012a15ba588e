import type { UpstreamHeaders } from './limit-headers.ts'
import { asSentence } from './upstream-failure.ts'

/**
 * Advice for values of `x-codex-rate-limit-reached-type` that concern a workspace, where waiting is not the only
 * option.
 */
const OF_WORKSPACE: ReadonlyMap<string, string> = new Map([
  ['workspace_owner_credits_depleted', 'The workspace is out of credits: add some to continue.'],
  ['workspace_member_credits_depleted', 'The workspace is out of credits: ask its owner to add some.'],
  ['workspace_owner_usage_limit_reached', 'The workspace has reached its spend cap: raise it to continue.'],
  ['workspace_member_usage_limit_reached', 'The workspace has reached its spend cap: ask its owner to raise it.'],
])

/**
 * The message of a limit, extended by when it resets and what else helps: most clients show only the message, and
 * upstream puts neither there.
 */
export function limitMessage(message: string, resetsIn: string | undefined, headers: UpstreamHeaders): string {
  const reached = headers['x-codex-rate-limit-reached-type']
  const ofWorkspace = typeof reached === 'string' ? OF_WORKSPACE.get(reached) : undefined
  const added = [resetsIn && `It resets in ${resetsIn}.`, ofWorkspace].filter((sentence) => sentence !== undefined)
  return added.length === 0 ? message : [asSentence(message), ...added].join(' ')
}
