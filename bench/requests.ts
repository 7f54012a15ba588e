import { type Order, orderText } from './order.ts'

/** `chat`: POST /v1/chat/completions · `responses`: POST /v1/responses. */
export type Kind = 'chat' | 'responses'

export const PATHS: Readonly<Record<Kind, string>> = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
}

/** A streaming request with the order in its prompt; with an image of `imageBytes` when that isn't 0. */
export function requestBody(kind: Kind, order: Order, imageBytes: number): string {
  const prompt = `${orderText(order)} Write a few lines about the sea.`
  const instructions = 'You are a helpful assistant.'
  const image = imageBytes === 0 ? undefined : `data:image/png;base64,${pretendedImage(imageBytes)}`
  if (kind === 'chat') {
    const picture = image === undefined ? [] : [{ type: 'image_url', image_url: { url: image } }]
    const content = [{ type: 'text', text: prompt }, ...picture]
    const messages = [
      { role: 'system', content: instructions },
      { role: 'user', content },
    ]
    return JSON.stringify({ model: 'gpt-5.5', stream: true, messages })
  }
  const picture = image === undefined ? [] : [{ type: 'input_image', image_url: image }]
  const content = [{ type: 'input_text', text: prompt }, ...picture]
  const input = [{ type: 'message', role: 'user', content }]
  return JSON.stringify({ model: 'gpt-5.5', instructions, input, store: false, stream: true })
}

/** Base64 that compresses badly, the same in each run. */
function pretendedImage(bytes: number): string {
  const block = Buffer.alloc(3 * 4096)
  let state = 0x2545f491
  for (let at = 0; at < block.length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    block[at] = state >>> 24
  }
  const text = block.toString('base64')
  return text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes - (bytes % 4))
}
