import type { JsonObject } from '../../json-object.ts'

/** In `include`: without it no later request could send the reasoning back (case 105). */
export const ENCRYPTED_REASONING = 'reasoning.encrypted_content'

/** A body for `POST /responses` of the ChatGPT backend. Key order is fixed: the prompt cache depends on the bytes. */
export type ResponsesRequest = JsonObject & {
  model: string
  instructions?: string
  input: JsonObject[]
  prompt_cache_key?: string | undefined
  store: false
  stream: true
}
