/** The defaults of fields that Chat and Responses share: sending just the default asks for nothing. */
export const API_DEFAULTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['store', false],
  ['temperature', 1],
  ['top_p', 1],
  ['top_logprobs', 0],
  ['frequency_penalty', 0],
  ['presence_penalty', 0],
  ['user', ''],
  ['safety_identifier', ''],
])
