/** The same short question on both routes. */
export const CHAT = { model: 'gpt-5.5', messages: [{ role: 'user' as const, content: 'Hello' }] }
export const RESPONSES = { model: 'gpt-5.5', input: 'Hello' }

export const ROUTES = [
  ['/v1/chat/completions', CHAT],
  ['/v1/responses', RESPONSES],
] as const
