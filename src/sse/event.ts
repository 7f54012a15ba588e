import { parseJson } from '../json-object.ts'
import { type Keep, keepMembers } from '../json-text.ts'

/** The name of a frame, or '' for one that does not begin with its name. */
export function eventName(frame: Buffer): string {
  const line = frame.toString('latin1', 0, frame.indexOf(LF))
  return line.startsWith(EVENT) ? line.substring(EVENT.length) : ''
}

/** As much of a frame as is needed to tell what it is. */
export function frameBeginning(frame: Buffer): string {
  return frame.toString('latin1', 0, LONGEST_BEGINNING)
}

/** The `data` of one frame; undefined when it has none (a comment, a `retry:`). */
export function frameData(frame: string): string | undefined {
  return usualData(frame) ?? joinedData(frame)
}

/** The data of a frame that is a name and one line of data, as upstream writes them. */
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
  return data === undefined ? undefined : parseJson(data)
}

/** The same of a frame in bytes. */
export function bytesJson(frame: Buffer): unknown {
  return frameJson(frame.toString('utf8'))
}

/**
 * The same, but only with the fields to `keep` of the Response object in a long event: parsing the others would be
 * wasted.
 */
export function leanFrameJson(frame: Buffer, keep: Keep): unknown {
  const lean = frame.length < LONG ? undefined : leanJson(frame, keep)
  return lean === undefined ? bytesJson(frame) : parseJson(lean)
}

/** Undefined for a frame that does not have upstream's usual form. */
function leanJson(frame: Buffer, keep: Keep): string | undefined {
  const [beginning, name] = TELLS_RESPONSE.exec(frameBeginning(frame)) ?? []
  if (beginning === undefined || name === undefined) return undefined
  const isOneLine = !frame.includes(LF, beginning.length)
  return isOneLine ? keepMembers(frame.subarray(name.length), beginning.length - name.length, keep) : undefined
}

/** The text that the inside of a JSON string represents; the inside itself if it is invalid. */
export function unescaped(inside: string): string {
  const text = parseJson(`"${inside}"`)
  return typeof text === 'string' ? text : inside
}

/** Shorter frames are faster to parse completely than with something left out. */
const LONG = 4096
/** How the API begins an event with a Response object; the group is what stands before the JSON. */
const TELLS_RESPONSE = /^(event: [\w.]+\ndata: )\{"type":"[\w.]+",(?:"sequence_number":\d+,)?"response":(?=\{)/
const LONGEST_BEGINNING = 256
const EVENT = 'event: '
const DATA = 'data: '
const LF = 10
const COLON = 58
const SPACE = 32
