import { createRequire } from 'node:module'
import * as undici from 'undici'
import { expect, test } from 'vitest'
import { Agent, buildConnector, loadUndiciParts } from './undici-parts.ts'

const require = createRequire(import.meta.url)

test('the parts are where they are looked for, and the ones that undici exports', () => {
  expect(require('undici/lib/dispatcher/agent.js')).toBe(Agent)
  expect(require('undici/lib/core/connect.js')).toBe(buildConnector)
  expect([Agent, buildConnector]).toEqual([undici.Agent, undici.buildConnector])
})

test.each([
  ['is not where it was', /agent/, () => require('undici/lib/nowhere.js')],
  ['is not what it was', /connect/, () => ({})],
])('all of undici is loaded when a part %s', (_how, path, instead) => {
  const parts = loadUndiciParts((name) => (path.test(name) ? instead() : require(name)))
  expect([parts.Agent, parts.buildConnector]).toEqual([undici.Agent, undici.buildConnector])
})
