import { shorten } from '../../../foreign-text.ts'
import { isObject, type JsonObject } from '../../../json-object.ts'
import { addToList } from '../../../list-map.ts'
import { acceptedChoice, hostedToolType, unforcedImage } from '../hosted-tools.ts'
import type { JsonPlace } from '../json-place.ts'
import { type ReportedFields, reportOtherKeys } from '../reported-fields.ts'

/** `tool_choice`, or the legacy `function_call`, in Responses form; undefined when nothing was chosen. */
export function convertToolChoice(
  body: JsonPlace,
  tools: readonly JsonObject[],
  reported: ReportedFields,
): string | JsonObject | undefined {
  const choice = body.at('tool_choice')
  const legacy = body.at('function_call')
  if (choice.absent) return legacy.absent ? undefined : legacyChoice(legacy, declaredIn(tools))
  if (!legacy.absent) reported.add('function_call', "is not supported together with 'tool_choice'")
  if (typeof choice.value === 'string') return choice.word(['none', 'auto', 'required'])
  if (!isObject(choice.value)) throw choice.wrongType('one of a string or object')
  const type = choice.at('type').string()
  const declared = declaredIn(tools)
  if (type === 'allowed_tools') return allowedTools(choice, declared, reported)
  if (type === 'image_generation') return unforcedImage(reported)
  return acceptedChoice(chosenTool(choice, declared, reported), tools)
}

/** For looking up declared tools: a request may declare thousands, and allow each of them. */
type Declared = {
  readonly byName: ReadonlyMap<unknown, readonly JsonObject[]>
  readonly types: ReadonlySet<unknown>
}

function declaredIn(tools: readonly JsonObject[]): Declared {
  const byName = new Map<unknown, JsonObject[]>()
  for (const tool of tools) addToList(byName, tool.name, tool)
  return { byName, types: new Set(tools.map(({ type }) => type)) }
}

function legacyChoice(choice: JsonPlace, declared: Declared): string | JsonObject {
  if (typeof choice.value === 'string') return choice.word(['none', 'auto'])
  if (!isObject(choice.value)) throw choice.wrongType('one of a string or object')
  return namedTool(choice, { type: 'function', name: choice.at('name').string(), list: 'functions' }, declared)
}

function allowedTools(choice: JsonPlace, declared: Declared, reported: ReportedFields): JsonObject {
  const known = ['type', 'allowed_tools', 'mode', 'tools']
  const allowed = choice.within('allowed_tools', ['mode', 'tools'])
  allowed.object()
  const mode = allowed.at('mode').word(['auto', 'required'])
  reportOtherKeys(choice, known, reported)
  reportOtherKeys(allowed, known, reported)
  return {
    type: 'allowed_tools',
    mode,
    tools: allowed
      .at('tools')
      .items()
      .map((tool) => chosenTool(tool, declared, reported)),
  }
}

/** One tool by its kind and, if it has one, its name; Chat nests the name, Responses does not. */
function chosenTool(choice: JsonPlace, declared: Declared, reported: ReportedFields): JsonObject {
  choice.object()
  const type = choice.at('type').string()
  if (type !== 'function' && type !== 'custom') return hostedTool(choice, declared)
  const named = choice.within(type, ['name'])
  named.object()
  const isFlat = named === choice
  reportOtherKeys(choice, ['type', isFlat ? 'name' : type], reported)
  if (!isFlat) reportOtherKeys(named, ['name'], reported)
  return namedTool(choice, { type, name: named.at('name').string(), list: 'tools' }, declared)
}

type Chosen = { readonly type: string; readonly name: string; readonly list: 'tools' | 'functions' }

/** A choice of an undeclared tool would end in a broken connection upstream (case 71). */
function namedTool(choice: JsonPlace, { type, name, list }: Chosen, { byName }: Declared): JsonObject {
  const ofName = byName.get(name) ?? []
  const tool = ofName.find((each) => each.type === type) ?? ofName[0]
  if (tool !== undefined) return { type: tool.type, name }
  const message = `Invalid value for '${choice.path}': no ${type} named '${shorten(name)}' was specified in the '${list}' parameter.`
  throw choice.fault('invalid_value', message)
}

function hostedTool(choice: JsonPlace, { types }: Declared): JsonObject {
  const given = choice.object()
  const type = hostedToolType(given.type)
  if (types.has(type)) return { ...given, type }
  const message = `Invalid value for '${choice.path}': no tool of type '${shorten(String(type))}' was specified in the 'tools' parameter.`
  throw choice.fault('invalid_value', message)
}
