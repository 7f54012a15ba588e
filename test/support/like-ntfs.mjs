// Loaded before the program, makes it see file ids as NTFS has them: of 64 bits, so that they differ only as a bigint.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const seen = []

function asOnNtfs(stats) {
  const known = String(stats.ino)
  if (!seen.includes(known)) seen.push(known)
  const ino = 2n ** 60n + BigInt(seen.indexOf(known))
  return Object.assign(stats, { ino: typeof stats.ino === 'bigint' ? ino : Number(ino) })
}

const { stat, open } = fs.promises
fs.promises.stat = async (...given) => asOnNtfs(await stat(...given))
const some = await open(import.meta.filename)
const handles = Object.getPrototypeOf(some)
const { stat: handleStat } = handles
handles.stat = async function (...given) {
  return asOnNtfs(await handleStat.apply(this, given))
}
await some.close()
syncBuiltinESMExports()
