import type { UrlCitation } from './chat-chunk.ts'

type CitingPart = {
  /** The whole text, once told. */
  readonly text: string
  readonly annotations: ReadonlyMap<number, UrlCitation> | undefined
}

type CitingMessage = { readonly parts: readonly CitingPart[] }

/** The citations of all messages, with their positions in the content that the messages make up. */
export function citationsIn(messages: readonly CitingMessage[], separator: string): UrlCitation[] {
  const citations: UrlCitation[] = []
  let offset = 0
  for (const { parts } of messages) {
    for (const { text, annotations } of parts) {
      citations.push(...[...(annotations?.values() ?? [])].map((citation) => moved(citation, offset)))
      offset += characters(text)
    }
    offset += separator.length
  }
  return citations
}

/** Upstream counts characters, not UTF-16 units. */
export function characters(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function moved(citation: UrlCitation, offset: number): UrlCitation {
  const { start_index, end_index, ...rest } = citation.url_citation
  return {
    type: citation.type,
    url_citation: { end_index: end_index + offset, start_index: start_index + offset, ...rest },
  }
}
