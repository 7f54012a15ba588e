// Changes an object in JSON text and leaves all other text unchanged: going through JavaScript values would round large
// numbers, turn 1e400 into null, and drop layout and repeated names.

import { isDeepStrictEqual } from 'node:util'
import { isObject, type JsonObject, parseJson } from '../json-object.ts'

const STRING = /"(?:[^"\\]|\\.)*"/.source
/** What precedes a value: the start of the member, the spaces that lay it out, its name, and its colon. */
const HEAD = new RegExp(String.raw`\s*[{,](\s*)(${STRING})(\s*:\s*)`, 'y')
/** The parts of a value by which its end is found: a string, a bracket, or a number, `true`, `false` or `null`. */
const PART = new RegExp(String.raw`${STRING}|[[\]{}]|[^\s"[\]{},:]+`, 'g')

type Member = {
  readonly head: string
  readonly gap: string
  readonly name: string
  readonly colon: string
  readonly value: string
}

/**
 * The JSON of an object, changed so that it means `wanted`: members that differ get new values, missing ones are added
 * after the last one, laid out like it. If that is not enough, `wanted` is written as Codex would.
 */
export function rewriteJson(json: string, wanted: JsonObject): string {
  const rewritten = withMembers(json, wanted)
  return isDeepStrictEqual(parseJson(rewritten), wanted) ? rewritten : JSON.stringify(wanted, null, 2)
}

function withMembers(json: string, wanted: JsonObject): string {
  const { members, rest } = split(json)
  const last = members.at(-1)
  if (last === undefined) return JSON.stringify(wanted)
  // Of several members with one name the last counts, as for JSON.parse.
  const counting = new Map(members.map((member) => [member.name, member]))
  const kept = members.map((member) => {
    const { head, name, value } = member
    return head + (counting.get(name) === member ? changed(value, wanted[name]) : value)
  })
  const added = Object.entries(wanted)
    .filter(([name]) => !counting.has(name))
    .map(([name, value]) => `,${last.gap}${JSON.stringify(name)}${last.colon}${JSON.stringify(value)}`)
  return [...kept, ...added, rest].join('')
}

function changed(json: string, wanted: unknown): string {
  if (isDeepStrictEqual(parseJson(json), wanted)) return json
  return isObject(wanted) ? withMembers(json, wanted) : JSON.stringify(wanted)
}

/** The members of an object, and what follows the last one. No members if it is not an object. */
function split(json: string): { members: Member[]; rest: string } {
  const members: Member[] = []
  let at = 0
  while (true) {
    HEAD.lastIndex = at
    const [head, gap, name, colon] = HEAD.exec(json) ?? []
    if (head === undefined || gap === undefined || name === undefined || colon === undefined) break
    const start = at + head.length
    at = endOfValue(json, start)
    members.push({ head, gap, name: JSON.parse(name), colon, value: json.slice(start, at) })
  }
  return { members, rest: json.slice(at) }
}

function endOfValue(json: string, start: number): number {
  let depth = 0
  for (const { 0: part, index } of json.slice(start).matchAll(PART)) {
    if (part === '{' || part === '[') depth++
    if (part === '}' || part === ']') depth--
    if (depth === 0) return start + index + part.length
  }
  return json.length // Never of JSON that was parsed.
}
