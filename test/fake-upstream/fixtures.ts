import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Json } from './refusal.ts'

const FOLDER = fileURLToPath(new URL('../fixtures/', import.meta.url))

/** A recorded case; see test/fixtures/INDEX.md. */
export type Fixture = {
  readonly name: string
  readonly api: 'chat' | 'responses'
  /** What the client had sent, where that was recorded. */
  readonly request: Json | undefined
  /** Undefined where it was not recorded. */
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: { readonly kind: 'stream'; readonly bytes: Buffer } | { readonly kind: 'json'; readonly json: Json }
}

export function fixtureNames(): string[] {
  const folders = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return folders.map(({ name }) => name)
}

export function loadFixture(name: string): Fixture {
  const source = readJson(name, 'source.json')
  const recorded = readJson(name, 'headers.json')
  const stream = readOptional(name, 'stream.sse')
  const json = readJson(name, 'response.json')
  if (source === undefined) throw new Error(`There is no fixture named ${name}`)
  if (stream === undefined && json === undefined) throw new Error(`Fixture ${name} holds no answer`)
  return {
    name,
    api: source.api as Fixture['api'],
    request: readJson(name, 'request.json'),
    status: recorded?.status as number | undefined,
    headers: (recorded?.headers ?? {}) as Record<string, string>,
    body: stream === undefined ? { kind: 'json', json: json ?? {} } : { kind: 'stream', bytes: stream },
  }
}

/** The frames of a recorded stream, each with its blank line; joined, exactly the recording. */
export function splitFrames(stream: Buffer): Buffer[] {
  const frames: Buffer[] = []
  let start = 0
  while (start < stream.length) {
    const blankLine = stream.indexOf('\n\n', start)
    const end = blankLine === -1 ? stream.length : blankLine + 2
    frames.push(stream.subarray(start, end))
    start = end
  }
  return frames
}

function readJson(name: string, file: string): Json | undefined {
  const text = readOptional(name, file)
  return text === undefined ? undefined : (JSON.parse(text.toString('utf8')) as Json)
}

function readOptional(name: string, file: string): Buffer | undefined {
  try {
    return readFileSync(`${FOLDER}${name}/${file}`)
  } catch {
    return undefined
  }
}
