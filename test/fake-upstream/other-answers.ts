import type { Answer } from './answer.ts'
import { CHATGPT_PATH } from './chatgpt-side.ts'
import type { RecordedRequest } from './recorded-request.ts'
import { detail, isJson, type Json, missingParameter } from './refusal.ts'

/** A PNG of one dot. */
export const IMAGE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** What the ChatGPT side answers at paths other than those of answers and models (docs/upstream.md 4.1). */
export function otherAnswer({ method, path, json }: RecordedRequest): Answer {
  const [route] = path.split('?')
  const name = route?.slice(CHATGPT_PATH.length)
  if (method !== 'POST') return detail('Not Found', 404)
  if (name === '/alpha/search') return isJson(json) ? { status: 200, body: { output: 'Found.' } } : notJson()
  if (name === '/images/generations') return isJson(json) ? imageAnswer(json) : notJson()
  if (name === '/images/edits') return isJson(json) ? editAnswer(json) : notJson()
  return detail('Not Found', 404)
}

function notJson(): Answer {
  return detail('Request body must be a JSON object')
}

function imageAnswer({ prompt, model, size }: Json): Answer {
  for (const [param, value] of Object.entries({ prompt, model })) {
    if (typeof value !== 'string' || value === '') return missingParameter(param)
  }
  const usage = { input_tokens: 9, output_tokens: 1372, total_tokens: 1381 }
  return {
    status: 200,
    body: {
      created: 1_795_000_000,
      data: [{ b64_json: IMAGE }],
      output_format: 'png',
      size: size ?? '1024x1024',
      usage,
    },
  }
}

/** Images are data URLs here, in JSON: the form of the API is not taken. */
function editAnswer(body: Json): Answer {
  const { images } = body
  const isGiven = Array.isArray(images) && images.length > 0
  const areUrls =
    isGiven && images.every((image) => isJson(image) && /^(data:image\/|https:)/.test(String(image.image_url)))
  if (!areUrls) return missingParameter('images')
  return imageAnswer(body)
}
