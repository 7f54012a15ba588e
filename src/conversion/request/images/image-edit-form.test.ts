import { describe, expect, test } from 'vitest'
import { imageEditOf, isForm } from './image-edit-form.ts'

const PNG = Buffer.from('89504e470d0a1a0a', 'hex')
const JPEG = Buffer.from('ffd8ffe000104a464946', 'hex')
const WEBP = Buffer.from('RIFF\0\0\0\0WEBPVP8 ', 'latin1')

/** The edit that a client's form becomes. */
async function editOf(fill: (form: FormData) => void) {
  const form = new FormData()
  fill(form)
  const { body, headers } = new Response(form)
  // Not `arrayBuffer()`, which brings other bytes on Node 22.3.
  const pieces: Uint8Array[] = []
  for await (const piece of body ?? []) pieces.push(piece)
  return imageEditOf(Buffer.concat(pieces), headers.get('content-type') ?? '')
}

const file = (bytes: Buffer, type = '') => new File([bytes], 'a file', { type })
const url = (type: string, bytes: Buffer) => ({ image_url: `data:${type};base64,${bytes.toString('base64')}` })

test('one image, or several under either name, are data URLs in their order', async () => {
  expect(await editOf((form) => form.append('image', file(PNG, 'image/png')))).toEqual({
    images: [url('image/png', PNG)],
  })
  const several = await editOf((form) => {
    for (const bytes of [PNG, JPEG]) form.append('image[]', file(bytes, 'image/gif'))
  })
  expect(several.images).toEqual([url('image/gif', PNG), url('image/gif', JPEG)])
})

test.each([
  ['image/png', PNG],
  ['image/jpeg', JPEG],
  ['image/webp', WEBP],
])('a file of no known type is %s by its first bytes', async (type, bytes) => {
  for (const given of ['', 'application/octet-stream']) {
    expect((await editOf((form) => form.append('image', file(bytes, given)))).images).toEqual([url(type, bytes)])
  }
})

test('a list may be numbered, as PHP has to write one of files', async () => {
  const edit = await editOf((form) => {
    for (const [index, bytes] of [PNG, JPEG].entries()) form.append(`image[${index}]`, file(bytes))
  })
  expect(edit).toEqual({ images: [url('image/png', PNG), url('image/jpeg', JPEG)] })
})

test.each(['image', 'image[0]', 'images[0][image_url]', 'images[][image_url]'])(
  'an image that is a text is its address: %s',
  async (name) => {
    const image = 'https://example.com/a.png'
    expect(await editOf((form) => form.append(name, image))).toEqual({ images: [{ image_url: image }] })
  },
)

test('texts become what they stand for', async () => {
  const fields = {
    prompt: 'A hat, 漢字',
    model: 'gpt-image-2',
    n: '2',
    output_compression: '80',
    frame_count: '4',
    frame_duration_ms: '100',
    stream: 'true',
    size: '1024x1024',
  }
  const edit = await editOf((form) => {
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
  })
  const numbers = { n: 2, output_compression: 80, frame_count: 4, frame_duration_ms: 100 }
  expect(edit).toEqual({ images: [], ...fields, ...numbers, stream: true })
})

test('a text of the name that the list gets is not taken for it', async () => {
  const edit = await editOf((form) => {
    form.append('images', 'x')
    form.append('image', file(PNG, 'image/png'))
    form.append('images', 'y')
  })
  expect(edit).toEqual({ images: [url('image/png', PNG)] })
})

test('what is no number or no truth value is left to upstream', async () => {
  const edit = await editOf((form) => {
    for (const name of ['n', 'stream']) form.append(name, 'many')
    form.append('partial_images', ' ')
  })
  expect(edit).toEqual({ images: [], n: 'many', stream: 'many', partial_images: ' ' })
})

test('nested fields, which a form names by their path, are nested', async () => {
  const edit = await editOf((form) => {
    form.append('svg[model]', 'gpt-5.5')
    form.append('svg[reasoning][effort]', 'low')
    for (const odd of ['a[]', 'b[c', '[d]', `e${'[f]'.repeat(9)}`, '__proto__[g]']) form.append(odd, 'x')
  })
  const odd = { 'a[]': 'x', 'b[c': 'x', '[d]': 'x', [`e${'[f]'.repeat(9)}`]: 'x' }
  expect(edit).toEqual({ images: [], svg: { model: 'gpt-5.5', reasoning: { effort: 'low' } }, ...odd })
  expect({}).not.toHaveProperty('g')
})

test('a mask is refused: without it another image would come', async () => {
  await expect(editOf((form) => form.append('mask', file(PNG)))).rejects.toMatchObject({
    status: 400,
    code: 'unsupported_parameter',
    param: 'mask',
  })
})

describe('a body that is no form', () => {
  test.each([
    ['garbage', 'multipart/form-data; boundary=x'],
    ['--x\r\ncontent-disposition: form-data; name="image"\r\n\r\ncut', 'multipart/form-data; boundary=x'],
    ['', 'multipart/form-data'],
  ])('%j is refused', async (body, type) => {
    await expect(imageEditOf(Buffer.from(body), type)).rejects.toMatchObject({ status: 400, code: 'invalid_body' })
  })
})

test('a form is told by its content type', () => {
  for (const type of ['multipart/form-data; boundary=x', 'Multipart/Form-Data']) expect(isForm(type)).toBe(true)
  for (const type of [undefined, 'application/json', 'multipart/form-database']) expect(isForm(type)).toBe(false)
})
