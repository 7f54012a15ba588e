import { ProxyError } from '../errors.ts'

/** Runs what walks a client's JSON: a nesting that exhausts the stack is a fault of the body, not of the proxy. */
export function withinDepth<Value>(walk: () => Value): Value {
  try {
    return walk()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ProxyError('invalid_json', 'The body is nested too deeply.', { cause: error })
  }
}
