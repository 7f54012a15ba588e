import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createServer, request, STATUS_CODES } from './node-http.ts'

const SOURCES = new URL('..', import.meta.url)

test('it is the module of Node', () => {
  expect([typeof createServer, typeof request, STATUS_CODES[404]]).toEqual(['function', 'function', 'Not Found'])
})

test('nothing but types is imported of node:http itself', () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /(?<!\.test)\.ts$/.test(name),
  )
  expect(files.length).toBeGreaterThan(100)
  const imports = files.flatMap(
    (name) => readFileSync(new URL(name, SOURCES), 'utf8').match(/^import.*'node:http'/gm) ?? [],
  )
  expect(imports.filter((line) => !line.startsWith('import type '))).toEqual([])
})
