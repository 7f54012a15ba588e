import { asIndex, asObject, asString } from '../../json-object.ts'
import type { UrlCitation } from './chat-chunk.ts'
import { markersIn, withoutMarkers } from './citation-markers.ts'

type CitingPart = {
  /** The whole text, once it has arrived. */
  readonly text: string
  readonly annotations: ReadonlyMap<number, UrlCitation> | undefined
}

type CitingMessage = { readonly parts: readonly CitingPart[] }

/** A citation in the form of Chat, which nests its fields; undefined for kinds that Chat does not have. */
export function urlCitation(value: unknown): UrlCitation | undefined {
  const annotation = asObject(value)
  const url = asString(annotation?.url)
  if (annotation?.type !== 'url_citation' || url === undefined) return undefined
  return {
    type: 'url_citation',
    url_citation: {
      end_index: asIndex(annotation.end_index) ?? 0,
      start_index: asIndex(annotation.start_index) ?? 0,
      title: asString(annotation.title) ?? '',
      url,
    },
  }
}

/** The citations of all messages, with their positions in the content that the messages make up. */
export function citationsIn(messages: readonly CitingMessage[], separator: string): UrlCitation[] {
  const citations: UrlCitation[] = []
  let offset = 0
  for (const { parts } of messages) {
    for (const { text, annotations } of parts) {
      const shownAt = positionsIn(text)
      const place = (index: number) => offset + shownAt(index)
      citations.push(...[...(annotations?.values() ?? [])].map((citation) => moved(citation, place)))
      offset += characters(withoutMarkers(text))
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

/** The position of a character once the markers are removed; citations count with them. */
function positionsIn(text: string): (index: number) => number {
  let at = 0
  let end = 0
  const markers = markersIn(text).map(({ from, to }) => {
    at += characters(text.slice(end, from))
    end = to
    const length = characters(text.slice(from, to))
    at += length
    return { from: at - length, length }
  })
  return (index) =>
    markers.reduce((place, { from, length }) => place - Math.min(Math.max(index - from, 0), length), index)
}

function moved(citation: UrlCitation, place: (index: number) => number): UrlCitation {
  const { start_index, end_index, ...rest } = citation.url_citation
  return {
    type: citation.type,
    url_citation: { end_index: place(end_index), start_index: place(start_index), ...rest },
  }
}
