import type { ErrorCode } from '../../error-table.ts'
import { ProxyError } from '../../errors.ts'
import { shorten } from '../../foreign-text.ts'
import { asObject, isObject, type JsonObject } from '../../json-object.ts'

/**
 * A value of a request body together with its path, so that every error names its field as api.openai.com does
 * (`messages[2].content[0].type`). Null counts as absent (case 24). The path is only built for an error.
 */
export class JsonPlace {
  readonly value: unknown
  readonly #parent: JsonPlace | undefined
  readonly #key: string | number

  constructor(value: unknown, key: string | number = '', parent?: JsonPlace) {
    this.value = value
    this.#key = key
    this.#parent = parent
  }

  get path(): string {
    const before = this.#parent?.path ?? ''
    if (typeof this.#key === 'number') return `${before}[${this.#key}]`
    return before === '' ? this.#key : `${before}.${this.#key}`
  }

  get absent(): boolean {
    return this.value === undefined || this.value === null
  }

  /** The place of a property; absent if it does not exist or this is not an object. */
  at(key: string): JsonPlace {
    const object = asObject(this.value)
    return new JsonPlace(object && ownProperty(object, key), key, this)
  }

  /**
   * The place of a property whose content may also be given without it, as Chat nests what Responses does not. It is if
   * one of the names `flat` is there; if neither form is, the nested one is missing.
   */
  within(key: string, flat: readonly string[]): JsonPlace {
    const nested = this.at(key)
    return nested.absent && this.hasAny(flat) ? this : nested
  }

  /** The same place with another value. */
  of(value: unknown): JsonPlace {
    return new JsonPlace(value, this.#key, this.#parent)
  }

  /** Whether a property with any of these names exists. */
  hasAny(keys: readonly string[]): boolean {
    const object = asObject(this.value)
    return object !== undefined && keys.some((key) => (ownProperty(object, key) ?? undefined) !== undefined)
  }

  object(): JsonObject {
    const object = asObject(this.value)
    if (object !== undefined) return object
    throw this.absent ? this.missing() : this.wrongType('an object')
  }

  optionalObject(): JsonObject | undefined {
    return this.absent ? undefined : this.object()
  }

  /** `expected` for a value that may also be given in another form, which the caller has read already. */
  items(expected = 'an array'): JsonPlace[] {
    if (!Array.isArray(this.value)) throw this.absent ? this.missing() : this.wrongType(expected)
    // One by one: the list that `map` makes changes its shape once this is optimised (docs/performance.md).
    const places: JsonPlace[] = []
    for (const item of this.value) places.push(new JsonPlace(item, places.length, this))
    return places
  }

  optionalItems(): JsonPlace[] {
    return this.absent ? [] : this.items()
  }

  string(): string {
    if (typeof this.value === 'string') return this.value
    throw this.absent ? this.missing() : this.wrongType('a string')
  }

  optionalString(): string | undefined {
    return this.absent ? undefined : this.string()
  }

  optionalBoolean(): boolean | undefined {
    if (this.absent) return undefined
    if (typeof this.value === 'boolean') return this.value
    throw this.wrongType('a boolean')
  }

  /** One of a few strings. */
  word<Word extends string>(words: readonly Word[]): Word {
    const text = this.string()
    const word = words.find((each) => each === text)
    if (word === undefined) throw this.notOneOf(words)
    return word
  }

  optionalWord<Word extends string>(words: readonly Word[]): Word | undefined {
    return this.absent ? undefined : this.word(words)
  }

  /** The error for a fault of this value. */
  fault(code: ErrorCode, message: string): ProxyError {
    const { path } = this
    return new ProxyError(code, message, path === '' ? {} : { param: path })
  }

  missing(): ProxyError {
    return this.fault('missing_required_parameter', `Missing required parameter: '${this.path}'.`)
  }

  /** For a text that is not one of the allowed strings. */
  notOneOf(words: readonly string[]): ProxyError {
    return this.fault('invalid_value', `Invalid value: '${shorten(this.string())}'. ${supported(words)}`)
  }

  /** `expected` with its article, as in "a string" or "one of a string or array of objects". */
  wrongType(expected: string): ProxyError {
    const got = kindOf(this.value)
    return this.fault('invalid_type', `Invalid type for '${this.path}': expected ${expected}, but got ${got} instead.`)
  }
}

/** The place of a whole body, which must be an object. */
export function bodyPlace(body: unknown): JsonPlace {
  if (!isObject(body)) throw new ProxyError('invalid_type', 'The body must be a JSON object.')
  return new JsonPlace(body)
}

function ownProperty(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

function supported(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word}'`)
  const last = quoted.pop()
  if (quoted.length === 0) return `Supported values are: ${last}.`
  return `Supported values are: ${quoted.join(', ')}${quoted.length > 1 ? ',' : ''} and ${last}.`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal'
  return `a ${typeof value}`
}
