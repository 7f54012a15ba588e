import { ProxyError } from '../../errors.ts'

/**
 * Runs code that walks a client's JSON. If the nesting exhausts the stack, that is the body's fault, not the proxy's.
 */
export function withinDepth<Value>(walk: () => Value): Value {
  try {
    return walk()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ProxyError('invalid_json', 'The body is nested too deeply.', { cause: error })
  }
}
