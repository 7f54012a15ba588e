import type { FrameSink } from './frame-reader.ts'
import { keepMembers } from './json-text.ts'

/** The name of a frame, or '' for one that does not begin with its name. */
export function eventName(frame: string): string {
  return frame.substring(0, EVENT.length) === EVENT ? frame.substring(EVENT.length, frame.indexOf('\n')) : ''
}

/** The `data` of one frame; undefined when it has none (a comment, a `retry:`). */
export function frameData(frame: string): string | undefined {
  return usualData(frame) ?? joinedData(frame)
}

/** Of a frame that is a name and one line of data, as upstream writes them. */
function usualData(frame: string): string | undefined {
  const at = frame.indexOf('\n')
  const start = at + 1 + DATA.length
  const isUsual = frame.substring(0, EVENT.length) === EVENT && frame.substring(at + 1, start) === DATA
  return isUsual && frame.indexOf('\n', start) === -1 ? frame.substring(start) : undefined
}

function joinedData(frame: string): string | undefined {
  let data: string | undefined
  for (const line of frame.split('\n')) {
    if (!line.startsWith('data')) continue
    if (line.length > 4 && line.charCodeAt(4) !== COLON) continue
    const value = line.slice(line.charCodeAt(5) === SPACE ? 6 : 5)
    data = data === undefined ? value : `${data}\n${value}`
  }
  return data
}

/** The JSON of one frame; undefined when there is none, e.g. `[DONE]` or garbage. */
export function frameJson(frame: string): unknown {
  const data = frameData(frame)
  return data === undefined || data === '' || data === '[DONE]' ? undefined : parsed(data)
}

/** The same, but where a long event tells a Response object only these fields of it: parsing the rest would be in vain. */
export function leanFrameJson(frame: string, fields: ReadonlySet<string>): unknown {
  const data = frame.length < LONG ? undefined : usualData(frame)
  const beginning = data === undefined ? undefined : TELLS_RESPONSE.exec(data)?.[0]
  if (data === undefined || beginning === undefined) return frameJson(frame)
  return parsed(keepMembers(data, beginning.length, fields) ?? data)
}

/** For whoever wants the JSON of every frame; frames without any are left out. */
export function eventSink(take: (event: unknown) => void, read = frameJson): FrameSink {
  return {
    take(memory, ranges) {
      for (let i = 0; i + 1 < ranges.length; i += 2) {
        for (const frame of memory.toString('utf8', ranges[i], ranges[i + 1]).split('\n\n')) {
          const event = read(frame)
          if (event !== undefined) take(event)
        }
      }
    },
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** What the inside of a JSON string stands for; itself where it is none. */
export function unescaped(inside: string): string {
  const text = parsed(`"${inside}"`)
  return typeof text === 'string' ? text : inside
}

/** Shorter ones are parsed in less time than it takes to leave something out. */
const LONG = 4096
/** As the API begins such an event. */
const TELLS_RESPONSE = /^\{"type":"[\w.]+",(?:"sequence_number":\d+,)?"response":(?=\{)/
const EVENT = 'event: '
const DATA = 'data: '
const COLON = 58
const SPACE = 32
