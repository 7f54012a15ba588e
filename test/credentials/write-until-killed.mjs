// Writes one generation of a login after the other until it is killed. Plain JavaScript on the built program: it is
// started again and again, and compiling would take most of the time.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { adoptLeftover, replaceAuthFile } from '../../dist/credentials/auth-file-write.js'

const read = (folder) => JSON.parse(fs.readFileSync(join(folder, 'auth.json'), 'utf8'))
const redeemed = (content) => content.tokens.refresh_token

/** Takes up what an earlier process left, then writes the next generation. */
function writeNext(folder, files) {
  adoptLeftover(join(folder, 'auth.json'), fs, redeemed(read(folder)))
  const content = read(folder)
  const generation = content.generation + 1
  const tokens = { ...content.tokens, access_token: `at-${generation}`, refresh_token: `rt-${generation}` }
  replaceAuthFile(join(folder, 'auth.json'), files, {
    content: { ...content, tokens, generation },
    redeemed: redeemed(content),
    mayReplace: () => redeemed(read(folder)) === redeemed(content),
  })
}

/** The same file calls, with something done before each; a write takes a third of the text at a time. */
function watched(before) {
  const watch =
    (name, call) =>
    (...args) => {
      before(name)
      return name === 'writeSync' ? call(args[0], args[1], args[2], Math.ceil(args[1].length / 3)) : call(...args)
    }
  return Object.fromEntries(Object.entries(fs).map(([name, call]) => [name, watch(name, call)]))
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

const [mode, ...args] = process.argv.slice(2)
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
} else {
  process.stdout.write('started')
  while (true) writeNext(args[0], fs)
}
