import { ProxyError } from '../../errors.ts'
import { asList, asString, type JsonObject, objectOf } from '../../json-object.ts'

/** As in the API: the user's messages, then the one item that stands for everything else. */
export function compactedResponse(
  { id, created_at, output, usage }: JsonObject,
  userMessages: readonly unknown[],
): JsonObject {
  const items = asList(output).filter((item) => objectOf(item).type === 'compaction')
  if (items.length === 0)
    throw new ProxyError('upstream_invalid', 'Upstream answered without compacting the conversation.')
  const key = asString(id)?.replace(/^resp_/, '') ?? ''
  // As items of an answer these have what a request may leave out, which clients with fixed types expect.
  const messages = userMessages.map((message, index) => ({
    id: `msg_${key}_${index}`,
    ...objectOf(message),
    status: 'completed',
  }))
  return { id, object: 'response.compaction', created_at, output: [...messages, ...items], usage }
}
