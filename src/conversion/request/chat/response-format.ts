import type { JsonObject } from '../../../json-object.ts'
import type { JsonPlace } from '../json-place.ts'
import { type ReportedFields, reportOtherKeys } from '../reported-fields.ts'
import { emptySchema } from './strict-schema.ts'

type ConvertedFormat = {
  /** `text` of the upstream body; undefined if nothing was requested. */
  readonly text: JsonObject | undefined
  readonly kind: 'text' | 'json_object' | 'json_schema'
}

const FIELDS = ['response_format', 'text', 'verbosity'] as const
const KINDS = ['json_object', 'json_schema', 'text'] as const
const SCHEMA_FIELDS = ['name', 'description', 'schema', 'strict'] as const
const NAME = /^[A-Za-z0-9_-]{1,64}$/

/**
 * `response_format` and `verbosity`, also under their Responses names: `text.format`, `text.verbosity` (case 97, 100).
 */
export function convertFormat(body: JsonPlace, reported: ReportedFields): ConvertedFormat {
  if (!body.hasAny(FIELDS)) return { text: undefined, kind: 'text' }
  const text = body.at('text')
  reportOtherKeys(text, ['format', 'verbosity'], reported)
  const format = body.at('response_format')
  if (!format.absent && !text.at('format').absent) {
    throw format.fault('invalid_value', "'response_format' and 'text.format' cannot be used together.")
  }
  const given = format.absent ? text.at('format') : format
  given.optionalObject()
  const kind = given.absent ? 'text' : given.at('type').word(KINDS)
  const converted = kind === 'json_schema' ? jsonSchema(given, reported) : plainFormat(given, kind, reported)
  const verbosity = readVerbosity(body.at('verbosity'), text.at('verbosity'), reported)
  // JSON leaves out what is undefined.
  const isSaid = converted !== undefined || verbosity !== undefined
  return { text: isSaid ? { format: converted, verbosity } : undefined, kind }
}

function plainFormat(
  format: JsonPlace,
  kind: 'text' | 'json_object',
  reported: ReportedFields,
): JsonObject | undefined {
  reportOtherKeys(format, ['type'], reported)
  return kind === 'text' ? undefined : { type: kind }
}

function readVerbosity(ofChat: JsonPlace, ofResponses: JsonPlace, reported: ReportedFields): string | undefined {
  const words = ['low', 'medium', 'high'] as const
  const verbosity = ofChat.optionalWord(words)
  const other = ofResponses.optionalWord(words)
  if (verbosity !== undefined && other !== undefined && other !== verbosity) {
    reported.add(ofResponses.path, "is not supported together with 'verbosity'")
  }
  return verbosity ?? other
}

/**
 * `strict` is explicit, because upstream takes its absence for true (case 94). Schemas are never rewritten (case 98).
 */
function jsonSchema(format: JsonPlace, reported: ReportedFields): JsonObject {
  const definition = format.within('json_schema', ['name'])
  definition.object()
  const isFlat = definition === format
  if (!isFlat) reportOtherKeys(format, ['type', 'json_schema'], reported)
  reportOtherKeys(definition, isFlat ? ['type', ...SCHEMA_FIELDS] : SCHEMA_FIELDS, reported)
  const description = definition.at('description').optionalString()
  const strict = definition.at('strict').optionalBoolean() ?? false
  return {
    type: 'json_schema',
    name: schemaName(definition.at('name')),
    ...(description !== undefined && { description }),
    schema: definition.at('schema').optionalObject() ?? emptySchema(strict),
    strict,
  }
}

function schemaName(place: JsonPlace): string {
  const name = place.string()
  if (NAME.test(name)) return name
  const expected = "Expected a string that matches the pattern '^[a-zA-Z0-9_-]{1,64}$'."
  throw place.fault('invalid_value', `Invalid '${place.path}': string does not match pattern. ${expected}`)
}
