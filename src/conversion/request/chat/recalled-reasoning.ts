import { asList, type JsonObject, textOf } from '../../../json-object.ts'
import type { ToolCall } from '../../call-key.ts'
import { TEXT_PLACE } from '../../reasoning-continuity.ts'
import type { ConversionContext } from '../conversion-context.ts'
import { withAcceptedId } from '../upstream-ids.ts'

/** In the order of the answer, so that upstream's prompt cache recognises it. */
type Recalled = { readonly beforeText: readonly JsonObject[]; readonly beforeCall: readonly JsonObject[] }

/** Puts the reasoning of earlier answers back before the calls it led to (case 106), each item once. */
export class RecalledReasoning {
  readonly #recall: ConversionContext['recallReasoning']
  readonly #used = new Set<string>()

  constructor(recall: ConversionContext['recallReasoning']) {
    this.#recall = recall
  }

  /** The call as the answer had it. */
  of(call: ToolCall): Recalled {
    const items = this.#recall(call) ?? []
    const text = items.findIndex(({ type }) => type === TEXT_PLACE.type)
    const end = Math.max(text, 0)
    return { beforeText: this.#replayed(items.slice(0, end)), beforeCall: this.#replayed(items.slice(end)) }
  }

  #replayed(items: readonly JsonObject[]): JsonObject[] {
    return items.flatMap((item) => {
      const content = textOf(item.encrypted_content)
      if (content === undefined || this.#used.has(content)) return []
      this.#used.add(content)
      return [replayedReasoning(item, content)]
    })
  }
}

/** Only what upstream accepts back: no text of the reasoning, and a summary even if empty (case 108). */
function replayedReasoning({ id, summary }: JsonObject, encryptedContent: string): JsonObject {
  return withAcceptedId({
    type: 'reasoning',
    ...(typeof id === 'string' && { id }),
    summary: asList(summary),
    encrypted_content: encryptedContent,
  })
}
