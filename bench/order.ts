/** The byte that begins every delta and occurs nowhere else in an answer, so that a client counts deltas at no cost. */
export const MARK = '^'

/** What an answer shall be; the client writes it into the prompt, the fake upstream finds it there. */
export type Order = {
  /** Deltas of the answer. */
  readonly deltas: number
  /** Milliseconds between two deltas; 0 sends the whole answer at once, from bytes made ready. */
  readonly pause: number
  /** What each delta says: its number, when it was sent, or whose answer it belongs to. */
  readonly says: 'number' | 'time' | 'owner'
  /** For `owner`: the name of the stream. */
  readonly owner: string
  /** Where upstream resets the connection. */
  readonly fault: 'none' | 'before' | 'within'
}

const OPENING = 'bench?'
const CLOSING = ';'
/** An order longer than this is none. */
const LONGEST = 200

export const DEFAULT_ORDER: Order = { deltas: 20, pause: 0, says: 'number', owner: '', fault: 'none' }

export function orderText({ deltas, pause, says, owner, fault }: Order): string {
  return `${OPENING}deltas=${deltas}&pause=${pause}&says=${says}&owner=${owner}&fault=${fault}${CLOSING}`
}

/** The order in the bytes of a request body, in whatever shape the prompt has got there; else the default. */
export function findOrder(body: Buffer): Order {
  const from = body.indexOf(OPENING)
  if (from === -1) return DEFAULT_ORDER
  const text = body.toString('latin1', from + OPENING.length, from + LONGEST)
  const fields = new URLSearchParams(text.slice(0, text.indexOf(CLOSING)))
  const says = fields.get('says')
  const fault = fields.get('fault')
  return {
    deltas: Number(fields.get('deltas')),
    pause: Number(fields.get('pause')),
    says: says === 'time' || says === 'owner' ? says : 'number',
    owner: fields.get('owner') ?? '',
    fault: fault === 'before' || fault === 'within' ? fault : 'none',
  }
}

/** Width of the time in a delta, so that it is found without looking for its end. */
export const TIME_DIGITS = 16

/** The text of one delta. It holds no space but its last character. */
export function deltaText(order: Order, index: number): string {
  if (order.says === 'time') return `${MARK}${String(Math.round(monotonicMicros())).padStart(TIME_DIGITS, '0')} `
  if (order.says === 'owner') return `${MARK}${order.owner}.${index} `
  return `${MARK}${String(index % 1000).padStart(3, '0')} `
}

/** Microseconds on a clock that all processes of this machine share. */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint()) / 1000
}
