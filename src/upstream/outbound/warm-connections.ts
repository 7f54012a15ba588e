import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { withoutBrackets } from '../../config/endpoint.ts'
import { elapsed } from '../../system/elapsed.ts'

/** No connection is opened in advance if none was needed for this long: upstream would hold it for nothing. */
const WANTED_FOR_MS = 300_000
/**
 * An idle connection may be dropped silently along the way, so it is replaced at this age; undici keeps its own as
 * long.
 */
const OLDEST_MS = 60_000
/** The next connection waits until the request that took the last one is under way, since a handshake costs time. */
const REFILL_DELAY_MS = 50
/** If upstream closes idle connections sooner than this, the pauses before the next one get longer and longer. */
const SHORT_LIFE_MS = 20_000
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 120_000

type Connect = buildConnector.connector
type Callback = buildConnector.Callback

/**
 * Connects in advance: for each origin that is kept warm, one connection is ready with its TLS handshake done. This
 * saves a request that finds no kept-alive connection at least three round trips. `now` in milliseconds.
 */
export class WarmConnections {
  readonly #connect: Connect
  readonly #now: () => number
  readonly #spares = new Map<string, Spare>()
  #closed = false

  constructor(connect: Connect, now: () => number) {
    this.#connect = connect
    this.#now = now
  }

  /** For undici: uses the spare connection of an origin if there is one, else connects. */
  readonly connect: Connect = (options, callback) => {
    const spare = this.#spares.get(`${options.protocol}//${options.host}`)
    if (spare === undefined || isForOtherName(options)) this.#connect(options, callback)
    else spare.hand(options, callback)
  }

  /** Requests to this origin are likely in the next minutes. Plain HTTP needs no help: it is on loopback. */
  keepWarm(origin: URL): void {
    if (origin.protocol !== 'https:' || this.#closed) return
    const key = `https://${origin.host}`
    let spare = this.#spares.get(key)
    if (spare === undefined) {
      spare = new Spare(origin, this.#connect, this.#now)
      this.#spares.set(key, spare)
    }
    spare.wanted()
  }

  /** The spare connections must not be used. */
  dropSpares(): void {
    for (const spare of this.#spares.values()) spare.drop()
  }

  close(): void {
    this.#closed = true
    for (const spare of this.#spares.values()) spare.close()
  }
}

class Spare {
  readonly #target: buildConnector.Options
  readonly #connect: Connect
  readonly #now: () => number
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #connecting = false
  #closed = false
  #wantedAt = 0
  #openedAt = 0
  #pause = 0

  constructor(origin: URL, connect: Connect, now: () => number) {
    const { protocol, host, port } = origin
    this.#target = { protocol, host, port, hostname: withoutBrackets(origin.hostname) }
    this.#connect = connect
    this.#now = now
  }

  wanted(): void {
    this.#wantedAt = this.#now()
    this.#refill(0)
  }

  hand(options: buildConnector.Options, callback: Callback): void {
    const socket = this.#take()
    if (socket === undefined) {
      this.#connect(options, (...result) => {
        callback(...result)
        this.#refill(REFILL_DELAY_MS)
      })
      return
    }
    this.#pause = 0
    // undici expects a connector to call back later, never synchronously.
    process.nextTick(callback, null, socket)
    this.#refill(REFILL_DELAY_MS)
  }

  /** The next request that takes a connection opens another one. */
  drop(): void {
    this.#take()?.destroy()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#socket?.destroy()
  }

  #take(): Socket | undefined {
    const socket = this.#socket
    this.#socket = undefined
    if (socket === undefined) return undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    // Unsolicited bytes are a goodbye (408). The age is checked since timers stop while the machine sleeps.
    const usable = !socket.destroyed && socket.readableLength === 0 && this.#now() - this.#openedAt < OLDEST_MS
    if (!usable) {
      socket.destroy()
      return undefined
    }
    return socket.ref()
  }

  /** At most one is ready or being opened. The timer is for opening the next one, or for the end of the ready one. */
  #refill(delay: number): void {
    if (this.#closed || this.#connecting || this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.#open(), delay).unref()
  }

  #open(): void {
    this.#timer = undefined
    if (elapsed(this.#wantedAt, this.#now()) > WANTED_FOR_MS) return
    this.#connecting = true
    this.#openedAt = this.#now()
    this.#connect(this.#target, (...[error, socket]) => {
      this.#connecting = false
      if (error !== null) this.#lost()
      else if (this.#closed) socket.destroy()
      else this.#hold(socket)
    })
  }

  #hold(socket: Socket): void {
    this.#socket = socket.unref()
    socket.once('close', () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#lost()
    })
    this.#timer = setTimeout(() => socket.destroy(), OLDEST_MS).unref()
  }

  /** Delays the next try; a request that needs a connection will report why it fails. */
  #lost(): void {
    const shortLived = this.#now() - this.#openedAt < SHORT_LIFE_MS
    this.#pause = shortLived ? Math.min(Math.max(this.#pause * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS) : 0
    this.#refill(this.#pause)
  }
}

/** Whether a TLS name other than that of the URL is needed; spare connections use that of the URL. */
function isForOtherName({ servername, hostname }: buildConnector.Options): boolean {
  return servername !== undefined && servername !== null && servername !== '' && servername !== hostname
}
