/**
 * How much of one stop text the text read so far ends with, by the algorithm of Knuth, Morris and Pratt: comparing
 * anew from each position would take minutes for a long stop text that the answer keeps beginning.
 */
export class StopMatch {
  readonly #stop: string
  /**
   * For each length of a beginning of the stop text: the longest shorter beginning that it ends with. Grows only as far
   * as text has matched.
   */
  readonly #borders = [0, 0]
  #length = 0

  constructor(stop: string) {
    this.#stop = stop
  }

  /** The beginning of the stop text that was matched. */
  get matched(): string {
    return this.#stop.slice(0, this.#length)
  }

  get whole(): boolean {
    return this.#length === this.#stop.length
  }

  read(code: number): void {
    this.#length = this.#extended(this.#length, code)
    if (this.#length < this.#borders.length) return
    this.#borders.push(this.#extended(this.#borders[this.#length - 1] ?? 0, code))
  }

  reset(): void {
    this.#length = 0
  }

  /** The length that is matched once this character has followed a match of that length. */
  #extended(matched: number, code: number): number {
    let length = matched
    while (length > 0 && this.#stop.charCodeAt(length) !== code) length = this.#borders[length] ?? 0
    return this.#stop.charCodeAt(length) === code ? length + 1 : 0
  }
}
