import type { ProxyError } from '../../../errors.ts'
import { asString, type JsonObject } from '../../../json-object.ts'
import { responsesTool } from '../hosted-tools.ts'
import type { JsonPlace } from '../json-place.ts'
import { type ReportedFields, reportOtherKeys } from '../reported-fields.ts'
import { checkStrictSchema, emptySchema } from './strict-schema.ts'
import { convertToolChoice } from './tool-choice.ts'

type ConvertedTools = {
  readonly tools?: readonly JsonObject[] | undefined
  readonly choice?: string | JsonObject | undefined
  readonly parallel?: boolean | undefined
  readonly customTools: ReadonlySet<string>
  /** Tools were given as `functions`: the answer uses `function_call`. */
  readonly legacy: boolean
}

/** Hosted tools that the backend does not have; without them the answer would be wrong (case 66). */
export const ABSENT_HOSTED_TOOLS = new Set(['file_search', 'code_interpreter', 'computer_use', 'computer_use_preview'])
/** Tools that the client has to run or to approve: Chat has no form for that, and the answer would be empty. */
export const UNCALLABLE_TOOLS = new Map<string, { whether(tool: JsonPlace): boolean; which?: string }>([
  ['computer', { whether: () => true }],
  ['apply_patch', { whether: () => true }],
  ['shell', { whether: (tool) => !CONTAINERS.has(tool.at('environment').at('type').value) }],
  ['tool_search', { whether: (tool) => tool.at('execution').value === 'client', which: " with execution 'client'" }],
  ['mcp', { whether: (tool) => asksAlways(tool.at('require_approval')), which: " without require_approval 'never'" }],
])
/** A shell in a container is run upstream. */
const CONTAINERS = new Set<unknown>(['container_auto', 'container_reference'])

const FIELDS = ['tools', 'functions', 'web_search_options', 'tool_choice', 'function_call'] as const
const NO_TOOLS: ConvertedTools = { customTools: new Set(), legacy: false }

/** `tools`, `functions`, `web_search_options` and the choice among them, in the form of Responses. */
export function convertTools(body: JsonPlace, reported: ReportedFields): ConvertedTools {
  if (!body.hasAny(FIELDS)) return NO_TOOLS
  const tools = body
    .at('tools')
    .optionalItems()
    .map((tool) => convertTool(tool, reported))
  const functions = body
    .at('functions')
    .optionalItems()
    .map((tool) => functionTool(tool, reported))
  if (tools.length > 0 && functions.length > 0) {
    throw body.at('functions').fault('invalid_value', "'functions' and 'tools' cannot be used together.")
  }
  const webSearch = webSearchTool(body.at('web_search_options'), tools, reported)
  const all = [...tools, ...functions, ...webSearch]
  const legacy = functions.length > 0
  const choice = convertToolChoice(body, all, reported)
  const parallel = body.at('parallel_tool_calls').optionalBoolean()
  return {
    // An explicit empty list is kept, an absent one is not made up: some models have tools of their own (case 57).
    tools: all.length > 0 || !body.at('tools').absent ? all : undefined,
    choice,
    // The legacy answer has room for one call only.
    parallel: all.length > 0 ? !legacy && parallel : undefined,
    customTools: new Set(all.flatMap(({ type, name }) => (type === 'custom' ? [asString(name) ?? ''] : []))),
    legacy,
  }
}

function convertTool(tool: JsonPlace, reported: ReportedFields): JsonObject {
  const given = tool.object()
  const type = tool.at('type').string()
  if (type === 'function' || type === 'custom') {
    const nested = tool.within(type, ['name'])
    if (nested !== tool) {
      nested.object()
      reportOtherKeys(tool, ['type', type], reported)
      return type === 'function' ? functionTool(nested, reported) : customTool(nested, reported)
    }
  }
  if (!tool.at('name').absent) nonEmptyName(tool.at('name'))
  if (ABSENT_HOSTED_TOOLS.has(type)) throw unsupportedType(tool, '', 'are not supported with a ChatGPT login.')
  const uncallable = UNCALLABLE_TOOLS.get(type)
  if (uncallable?.whether(tool) === true) {
    const { which = '' } = uncallable
    throw unsupportedType(tool, which, 'are not supported by Chat Completions. /v1/responses passes them on.')
  }
  return responsesTool(given)
}

/** Approval is the default. An object says which tools need it, so that others may do without. */
function asksAlways(approval: JsonPlace): boolean {
  return approval.absent || approval.value === 'always'
}

function unsupportedType(tool: JsonPlace, which: string, rest: string): ProxyError {
  const type = tool.at('type')
  return type.fault('unsupported_value', `Unsupported value: tools of type '${type.string()}'${which} ${rest}`)
}

/** `strict` is explicit, because Responses takes its absence for true (case 94). Schemas are never rewritten. */
function functionTool(place: JsonPlace, reported: ReportedFields): JsonObject {
  place.object()
  reportOtherKeys(place, ['name', 'description', 'parameters', 'strict'], reported)
  const name = nonEmptyName(place.at('name'))
  const description = place.at('description').optionalString()
  const strict = place.at('strict').optionalBoolean() ?? false
  const parameters = place.at('parameters').optionalObject() ?? emptySchema(strict)
  if (strict) checkStrictSchema(name, place.at('parameters'))
  return { type: 'function', name, description, parameters, strict }
}

/** Chat nests the grammar one level deeper than Responses (case 62). */
function customTool(place: JsonPlace, reported: ReportedFields): JsonObject {
  reportOtherKeys(place, ['name', 'description', 'format'], reported)
  const name = nonEmptyName(place.at('name'))
  const description = place.at('description').optionalString()
  const format = place.at('format')
  return {
    type: 'custom',
    name,
    description,
    ...(!format.absent && { format: customFormat(format, reported) }),
  }
}

function customFormat(format: JsonPlace, reported: ReportedFields): JsonObject {
  format.object()
  const known = ['type', 'grammar', 'syntax', 'definition']
  reportOtherKeys(format, known, reported)
  if (format.at('type').word(['text', 'grammar']) === 'text') return { type: 'text' }
  const grammar = format.within('grammar', ['syntax', 'definition'])
  grammar.object()
  reportOtherKeys(grammar, known, reported)
  return {
    type: 'grammar',
    syntax: grammar.at('syntax').word(['lark', 'regex']),
    definition: grammar.at('definition').string(),
  }
}

function nonEmptyName(place: JsonPlace): string {
  const name = place.string()
  if (name !== '') return name
  const expected = 'Expected a string with minimum length 1, but got an empty string instead.'
  throw place.fault('invalid_value', `Invalid '${place.path}': empty string. ${expected}`)
}

/** `web_search_options` requests the search tool, unless the tools already contain one. */
function webSearchTool(options: JsonPlace, tools: readonly JsonObject[], reported: ReportedFields): JsonObject[] {
  if (options.absent) return []
  options.object()
  reportOtherKeys(options, ['search_context_size', 'user_location'], reported)
  const size = options.at('search_context_size').optionalWord(['low', 'medium', 'high'])
  const location = userLocation(options.at('user_location'), reported)
  if (tools.some(({ type }) => type === 'web_search')) {
    reported.add(options.path, "is not supported together with a 'web_search' tool")
    return []
  }
  return [{ type: 'web_search', search_context_size: size, user_location: location }]
}

const LOCATION_FIELDS = ['city', 'country', 'region', 'timezone'] as const

function userLocation(place: JsonPlace, reported: ReportedFields): JsonObject | undefined {
  if (place.absent) return undefined
  place.object()
  const known = ['type', 'approximate', ...LOCATION_FIELDS]
  reportOtherKeys(place, known, reported)
  place.at('type').optionalWord(['approximate'])
  const approximate = place.within('approximate', LOCATION_FIELDS)
  reportOtherKeys(approximate, known, reported)
  const told = LOCATION_FIELDS.map((name) => [name, approximate.at(name).optionalString()] as const)
  return { type: 'approximate', ...Object.fromEntries(told) }
}
