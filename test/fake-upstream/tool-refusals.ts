import type { IncomingHttpHeaders } from 'node:http'
import {
  apiError,
  isJson,
  type Json,
  missingParameter,
  objectsOf,
  type Refusal,
  tooLong,
  unknownParameter,
  wrongType,
} from './refusal.ts'

/** The first reason why the backend would not take these tools, or the choice among them. */
export function toolsRefusal(body: Json, headers: IncomingHttpHeaders): Refusal | undefined {
  const tools = body.tools ?? []
  if (!Array.isArray(tools)) return wrongType('tools')
  for (const [index, tool] of tools.entries()) {
    const refusal = isJson(tool) ? toolRefusal(tool, `tools[${index}]`) : undefined
    if (refusal !== undefined) return refusal
  }
  const isLite = headers['x-openai-internal-codex-responses-lite'] === 'true'
  return (isLite ? liteRefusal(tools, body.input) : undefined) ?? choiceRefusal(body)
}

function toolRefusal(tool: Json, place: string): Refusal | undefined {
  const { type } = tool
  const hint = ['cache_control', 'prompt_cache_breakpoint'].find((name) => name in tool)
  if (hint !== undefined) return unknownParameter(`${place}.${hint}`)
  if (type === 'local_shell') return apiError('The local_shell tool is no longer supported.', `${place}.type`, null)
  if (type !== 'function' && type !== 'custom') return undefined
  if (typeof tool.name !== 'string') return missingParameter(`${place}.name`)
  const badName = nameRefusal(tool.name, `${place}.name`)
  if (badName !== undefined) return badName
  if (type !== 'function' || tool.strict !== true || isStrict(tool.parameters)) return undefined
  const message = `Invalid schema for function '${tool.name}'.`
  return apiError(message, `${place}.parameters`, 'invalid_function_parameters')
}

function nameRefusal(name: string, param: string): Refusal | undefined {
  if (/^[\w-]+$/.test(name)) return tooLong(name, param)
  const expected = "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
  return apiError(`Invalid '${param}': string does not match pattern. ${expected}`, param, 'invalid_value')
}

/** A strict function has no optional arguments and takes no others (recorded: `error-resp-400-schema-json`). */
function isStrict(schema: unknown): boolean {
  if (!isJson(schema) || !isJson(schema.properties)) return true
  const required = Array.isArray(schema.required) ? schema.required : []
  const complete = Object.keys(schema.properties).every((name) => required.includes(name))
  return complete && schema.additionalProperties === false && Object.values(schema.properties).every(isStrict)
}

function liteRefusal(tools: readonly unknown[], input: unknown): Refusal | undefined {
  const [first] = objectsOf(input)
  const added: unknown[] = Array.isArray(first?.tools) ? first.tools : []
  if ([...tools, ...added].every(isLiteTool)) return undefined
  return apiError(
    'X-OpenAI-Internal-Codex-Responses-Lite only supports function tools, custom tools, and client-executed tool search.',
    'tools',
    'unsupported_value',
  )
}

function isLiteTool(tool: unknown): boolean {
  if (!isJson(tool)) return false
  if (tool.type === 'tool_search') return tool.execution === 'client'
  return ['function', 'custom', 'namespace'].includes(String(tool.type))
}

function choiceRefusal({ tools, tool_choice: choice }: Json): Refusal | undefined {
  if (!isJson(choice)) return undefined
  const { type, name } = choice
  if (type === 'image_generation') {
    return apiError("Tool choice 'image_generation' is not supported.", 'tool_choice', 'invalid_value')
  }
  const declared = objectsOf(tools)
  if (type === 'web_search' && declared.some((tool) => tool.type === type && isJson(tool.filters))) {
    // Taken only as one of the allowed tools.
    return apiError("Tool choice 'web_search' is not supported with filters.", 'tool_choice', 'invalid_value')
  }
  // A forced tool is looked for in `tools`, where the Lite lane has none.
  const isNamed = type === 'function' || type === 'custom'
  const isFound = declared.some((tool) => !isNamed || isNamespace(tool) || (tool.type === type && tool.name === name))
  if (isFound) return undefined
  return apiError(`Tool choice '${name ?? type}' not found in 'tools' parameter.`, 'tool_choice', null)
}

/** What tools are in, nobody has reported as a choice. */
function isNamespace({ type }: Json): boolean {
  return type === 'namespace' || type === 'tool_search'
}
