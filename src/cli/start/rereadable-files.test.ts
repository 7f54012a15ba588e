import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { UsageError } from '../../config/usage-error.ts'
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

test.each(['file', 'link', '.', 'nowhere', 'file/below', 'circle'])(
  'a file passes, and so does a folder or what can not be reached, whose reading tells why: %s',
  (name) => {
    check(name)
  },
)
