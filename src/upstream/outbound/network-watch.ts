import { networkInterfaces } from 'node:os'

/** Connections survive a shorter sleep; and clock corrections are rarely that large. */
const LEAST_SLEEP_MS = 5_000
/** Listing the addresses takes 0.05 to 0.3 ms. */
const LOOK_AGAIN_MS = 2_000

type Surroundings = {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds of a clock that is never adjusted; on Linux it stops while the machine sleeps. */
  readonly monotonic?: () => number
  /** The machine's own addresses. */
  readonly addresses?: () => string
}

/**
 * Detects what silently ends idle connections: sleep, and a change of network. Timers stop while the machine sleeps
 * (Linux; elsewhere they are due as soon as it wakes), so a connection that was idle for a second looks just as fresh
 * an hour later. A request sent on it would wait for its answer until the ten-minute limit (seen in other clients:
 * https://github.com/CommandCodeAI/command-code/issues/819).
 */
export class NetworkWatch {
  readonly #now: () => number
  readonly #monotonic: () => number
  readonly #addresses: () => string
  #ahead: number
  #lookedAt: number
  #seen: string

  constructor({ now, monotonic = () => performance.now(), addresses = externalAddresses }: Surroundings) {
    this.#now = now
    this.#monotonic = monotonic
    this.#addresses = addresses
    this.#lookedAt = monotonic()
    this.#ahead = now() - this.#lookedAt
    this.#seen = addresses()
  }

  /** Whether connections that were idle since the last call can no longer be trusted. */
  hasChanged(): boolean {
    const at = this.#monotonic()
    const slept = this.#hasSlept(at)
    return this.#hasMoved(at) || slept
  }

  #hasSlept(at: number): boolean {
    const ahead = this.#now() - at
    const slept = ahead - this.#ahead > LEAST_SLEEP_MS
    this.#ahead = ahead
    return slept
  }

  #hasMoved(at: number): boolean {
    if (at - this.#lookedAt < LOOK_AGAIN_MS) return false
    this.#lookedAt = at
    const before = this.#seen
    this.#seen = this.#addresses()
    return this.#seen !== before
  }
}

/**
 * The addresses by which upstream may be reached; each container that starts adds a link-local one (RFC 4291 §2.5.6).
 */
function externalAddresses(): string {
  const all = Object.values(interfaces()).flatMap((addresses) => addresses ?? [])
  return all.flatMap(({ internal, address }) => (internal || address.startsWith('fe80:') ? [] : address)).join(' ')
}

/** Android refuses the list, as do a systemd service without AF_NETLINK and some sandboxes: there only sleep is noticed. */
function interfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces()
  } catch {
    return {}
  }
}
