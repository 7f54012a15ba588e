import { describe, expect, test } from 'vitest'
import { itemsOf, partsOf, refusalOf } from '../../../../test/support/converted-requests.ts'

const HELLO = { role: 'user', content: 'Hello' }
const answered = (content: unknown) => itemsOf([HELLO, { role: 'assistant', content }])[1]?.content

test('plain strings among the parts are text of their role', () => {
  expect(partsOf(['Hi'])).toEqual([{ type: 'input_text', text: 'Hi' }])
  expect(answered(['Hi'])).toEqual([{ type: 'output_text', text: 'Hi' }])
})

test('case 38: redacted reasoning that a client echoes is not sent', () => {
  expect(answered([{ type: 'redacted_thinking', data: 'AAAA' }, 'Hi'])).toEqual([{ type: 'output_text', text: 'Hi' }])
})

test('case 49: a part that an assistant cannot say is refused with those it can', () => {
  expect(refusalOf(() => answered([{ type: 'video' }]))).toEqual({
    status: 400,
    code: 'invalid_value',
    param: 'messages[1].content[0].type',
    message: "Invalid value: 'video'. Supported values are: 'text' and 'refusal'.",
  })
})

describe('images', () => {
  const image = (url: string) => partsOf([{ type: 'image_url', image_url: { url } }])

  test.each(['HTTPS://a.example/b.png', 'http://a.example/b.png', 'DATA:image/png;base64,AAAA'])(
    'case 43: %s is an image, whichever letters are capitals',
    (url) => {
      expect(image(url)).toEqual([{ type: 'input_image', image_url: url }])
    },
  )

  test.each(['ftp://a.example/?https://b.example', 'sediment://data:image/png;base64,AAAA'])(
    'case 47: what only holds a URL is none: %s',
    (url) => {
      expect(refusalOf(() => image(url)).message).toBe(
        "Invalid 'messages[0].content[0].image_url.url'. Expected a valid URL, but got a value with an invalid format.",
      )
    },
  )

  test.each([
    ['that is no object', 5, 'invalid_type'],
    ['that is not there', undefined, 'missing_required_parameter'],
  ])('an image %s is refused at its place', (_name, image_url, code) => {
    expect(refusalOf(() => partsOf([{ type: 'image_url', image_url }]))).toMatchObject({
      code,
      param: 'messages[0].content[0].image_url',
    })
  })

  test('a data URL that tells no type is refused', () => {
    expect(refusalOf(() => image('data:,AAAA')).message).toMatch(/, but got none\.$/)
  })
})

describe('files', () => {
  test('case 44, 46: the data of a file is put right as that of an image', () => {
    const url = (payload: string) => `data:application/pdf;base64,${payload}`
    const file = { file_data: url('-_-_'), filename: 'a.pdf' }
    expect(partsOf([{ type: 'file', file }])).toEqual([{ ...file, type: 'input_file', file_data: url('+/+/') }])
  })

  test('a file that is no object is refused at its place', () => {
    expect(refusalOf(() => partsOf([{ type: 'file', file: 'a.pdf' }]))).toMatchObject({
      code: 'invalid_type',
      param: 'messages[0].content[0].file',
    })
  })
})
