// Writes one generation of a login after the other until it is killed. Plain JavaScript on the built program: it is
// started again and again, and compiling would take most of the time.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { mendAuthFile, replaceAuthFile, withTokens } from '../../dist/credentials/auth-file-write.js'
import { leftTokens } from '../../dist/credentials/leftovers.js'

const read = (folder) => JSON.parse(fs.readFileSync(join(folder, 'auth.json'), 'utf8'))
const refreshToken = (content) => content.tokens.refresh_token
const [mode, place, ...args] = process.argv.slice(2)
const renameSync = () => {
  throw Object.assign(new Error('a mount of its own'), { code: 'EBUSY' })
}
/** The file is replaced, or can only be written `in-place`. */
const undisturbed = place === 'in-place' ? { ...fs, renameSync } : fs

/** Takes up what an earlier process left, then writes the next generation. */
function writeNext(folder, files) {
  takeUp(folder)
  const generation = Date.parse(read(folder).last_refresh) + 1
  write(folder, files, { access_token: `at-${generation}`, refresh_token: `rt-${generation}` }, generation)
}

function takeUp(folder) {
  const path = join(folder, 'auth.json')
  mendAuthFile(path, undisturbed)
  const left = leftTokens(path, undisturbed, refreshToken(read(folder)))
  if (left !== undefined) write(folder, undisturbed, left.tokens, left.refreshedAt)
}

function write(folder, files, tokens, generation) {
  const content = read(folder)
  replaceAuthFile(join(folder, 'auth.json'), files, {
    json: JSON.stringify(withTokens(content, tokens, generation), null, 2),
    spentToken: refreshToken(content),
    mayReplace: () => refreshToken(read(folder)) === refreshToken(content),
  })
}

/** The same file calls, with something done before each; a write takes a third of the text at a time. */
function watched(before) {
  const watch =
    (name, call) =>
    (...args) => {
      before(name)
      return name === 'writeSync' ? call(...aThird(args)) : call(...args)
    }
  return Object.fromEntries(Object.entries(undisturbed).map(([name, call]) => [name, watch(name, call)]))
}

function aThird([file, bytes, at, length = bytes.length, position = null]) {
  return [file, bytes, at, Math.min(length, bytes.length - at, Math.ceil(bytes.length / 3)), position]
}

/**
 * Begins a write in each folder and stays in the midst of it, before another of its calls in each: the first write is
 * still under way when the second begins, and so on. Then all are cut off at once. One start of Node cuts many writes.
 */
function cutAll(folders, offset, callsOfOne, at = 0) {
  if (at === folders.length) process.kill(process.pid, 'SIGKILL')
  let left = (offset + at) % callsOfOne
  const files = watched(() => {
    if (left-- === 0) cutAll(folders, offset, callsOfOne, at + 1)
  })
  writeNext(folders[at], files)
}

if (mode === 'count') {
  const names = []
  writeNext(
    args[0],
    watched((name) => names.push(name)),
  )
  process.stdout.write(names.join(' '))
} else if (mode === 'cut') {
  const [offset, callsOfOne, ...folders] = args
  cutAll(folders, Number(offset), Number(callsOfOne))
} else if (mode === 'take-up') {
  for (const folder of args) takeUp(folder)
} else {
  process.stdout.write('started')
  while (true) writeNext(args[0], undisturbed)
}
