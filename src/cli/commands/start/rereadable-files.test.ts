import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { UsageError } from '../../../config/usage-error.ts'
import { checkRereadable } from './rereadable-files.ts'

let folder: string
const path = (name: string) => join(folder, name)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rereadable-'))
  writeFileSync(path('file'), 'x')
  symlinkSync('file', path('link'))
  symlinkSync('circle', path('circle'))
  execFileSync('mkfifo', [path('pipe')])
})

afterAll(() => rmSync(folder, { recursive: true }))

const check = (name: string) => checkRereadable({ apiKeyFile: undefined, tlsCert: path('file'), tlsKey: path(name) })

test('a pipe can not be read again', () => {
  expect(() => check('pipe')).toThrow(UsageError)
  expect(() => check('pipe')).toThrow(
    /^--tls-key \(or CODEX_PROXY_TLS_KEY\) .* read again later\. Put the key into a file;/,
  )
})

test('a descriptor of this process can not be read by another, even if it is of a file', () => {
  const file = openSync(path('file'), 'r')
  onTestFinished(() => closeSync(file))
  expect(() => checkRereadable({ apiKeyFile: `/dev/fd/${file}`, tlsCert: undefined, tlsKey: undefined })).toThrow(
    /^--api-key-file \(or CODEX_PROXY_API_KEY_FILE\) \/dev\/fd\/\d+: it is not a file that can be read again later\./,
  )
})

test.each(['file', 'link', '.', 'nowhere', 'file/below', 'circle'])(
  'a file passes, and so does a folder or what can not be reached, whose reading tells why: %s',
  (name) => {
    check(name)
  },
)
