import { ProxyError } from '../../../errors.ts'
import { asList, asObject, type JsonObject } from '../../../json-object.ts'
import type { JsonPlace } from '../json-place.ts'

/** Upstream accepts no schemas as deep as this. */
const DEEPEST = 64

/**
 * Refuses a schema that a `strict` function may not have, in the API's words (recorded). Only two rules that are
 * certain are checked; everything else is left to upstream.
 */
export function checkStrictSchema(name: string, parameters: JsonPlace): void {
  const problem = problemOf(parameters.value, [])
  if (problem === undefined) return
  const message = `Invalid schema for function '${name}': In context=${context(problem.at)}, ${problem.text}`
  throw new ProxyError('invalid_function_parameters', message, { param: parameters.path })
}

/** The schema used if none is given: no properties, and with `strict` none may be added (case 53, 55). */
export function emptySchema(strict: boolean): JsonObject {
  return { type: 'object', properties: {}, ...(strict && { required: [], additionalProperties: false }) }
}

type Problem = { readonly at: readonly string[]; readonly text: string }

function problemOf(value: unknown, at: readonly string[]): Problem | undefined {
  const schema = asObject(value)
  if (schema === undefined || at.length > DEEPEST) return undefined
  const properties = asObject(schema.properties)
  const text = properties && looseness(schema, properties)
  if (text !== undefined) return { at, text }
  return (
    firstProblem(properties, [...at, 'properties']) ??
    firstProblem(asObject(schema.$defs), [...at, '$defs']) ??
    firstProblem({ ...asList(schema.anyOf) }, [...at, 'anyOf']) ??
    problemOf(schema.items, [...at, 'items'])
  )
}

/** Why an object with these properties may have others, or lack some. */
function looseness({ additionalProperties, required }: JsonObject, properties: JsonObject): string | undefined {
  if (additionalProperties !== false) return "'additionalProperties' is required to be supplied and to be false."
  const all = new Set(asList(required))
  const missing = Object.keys(properties).find((key) => !all.has(key))
  if (missing === undefined) return undefined
  return `'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`
}

function firstProblem(schemas: object | undefined, at: readonly string[]): Problem | undefined {
  for (const [key, schema] of Object.entries(schemas ?? {})) {
    const problem = problemOf(schema, [...at, key])
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Printed as the API prints it: a Python tuple. */
function context(at: readonly string[]): string {
  if (at.length === 1) return `('${at[0]}',)`
  return `(${at.map((step) => `'${step}'`).join(', ')})`
}
