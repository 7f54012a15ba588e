/** What the soak client shall do; it gets it as JSON. */
export type SoakPlan = {
  readonly port: number
  readonly seconds: number
  /** Paced streams at the same time; each that ends is followed by another. */
  readonly streams: number
  /** Short requests a second beside them, with aborts and upstream faults among them. */
  readonly requestsPerSecond: number
  readonly seed: number
}

/** How a request is to end. */
export type Fate = 'answered' | 'aborted' | 'reset before' | 'reset within'

export type SoakResult = {
  /** How many requests ended as they were to, by kind and fate. */
  readonly asIntended: Readonly<Record<string, number>>
  readonly unexplained: number
  /** Answers that held something of another one. */
  readonly crossed: number
  /** The first few, for a person. */
  readonly problems: readonly string[]
}
