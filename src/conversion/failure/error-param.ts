/** Paths in Responses, the most specific first, with their names in Chat. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^instructions$|^input(?:$|[.[].*)/s, 'messages'],
  [/^text\.format\.(.*)$/, 'response_format.json_schema.$1'],
  [/^text\.format$/, 'response_format'],
  [/^text\.verbosity$/, 'verbosity'],
  [/^reasoning(?:$|\..*)/s, 'reasoning_effort'],
  [/^tools\[(\d+)\]\.(name|description|parameters|strict)(.*)$/, 'tools[$1].function.$2$3'],
  [/^tool_choice\.name$/, 'tool_choice.function.name'],
]

/**
 * The Chat name of the field that upstream rejected. Upstream counts input items, which are not the client's messages,
 * so only `messages` as a whole can be named.
 */
export function chatParam(param: string): string {
  for (const [pattern, name] of NAMES) {
    if (pattern.test(param)) return param.replace(pattern, name)
  }
  return param
}
