#!/usr/bin/env node
import { existsSync, mkdirSync, statSync } from 'node:fs'
import module from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'

/** As `engines` in package.json has it: Node 21, and 22 before this, lack what Node 20 has got later. */
const NEEDED_NODE = { 20: 19, 22: 3 } as const

if (isNodeTooOld(process.versions.node)) {
  // Not by print.ts: an older Node can't load it.
  process.stderr.write(
    `codex-api-proxy needs Node 20.${NEEDED_NODE[20]}, or 22.${NEEDED_NODE[22]} and newer, and this is Node ` +
      `${process.versions.node} (${process.execPath}): install a newer one, or put it first in PATH.\n`,
  )
  process.exitCode = 1
} else {
  await main(process.argv.slice(2))
}

function isNodeTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major === 20 || major === 22) return minor < NEEDED_NODE[major]
  return major < 22
}

async function main(argv: string[]): Promise<void> {
  const { homeFolder } = await import('./config/paths.ts')
  const home = homeFolder()
  keepCompiled(home)
  const { createPrint } = await import('./cli/print.ts')
  const print = createPrint(process)
  const only = argv.length > 1 ? undefined : (argv[0] ?? '--help')

  // The two answers that need no command line parsed are given before its parser is loaded.
  if (only === '--help' || only === '-h' || only === 'help') {
    const { overview } = await import('./cli/overview.ts')
    print.raw(overview(print.style))
  } else if (only === '--version' || only === '-V') {
    const { packageVersion } = await import('./version.ts')
    print.line(packageVersion())
  } else {
    const { runProgram } = await import('./cli/program.ts')
    process.exitCode = await runProgram(argv, {
      print,
      env: process.env,
      bases: { home, cwd: workingFolder(home) },
      program: process.argv[1] ?? '',
    })
  }
}

/**
 * Node 22 and later can keep what they compiled, so that the next start needn't; what is loaded from now on profits. Node
 * runs what it finds there without a look at the source, so it is a folder that nobody but the user writes to: by
 * default it would be one in /tmp, which any user may have made before. Where there is none, it is compiled each time.
 */
function keepCompiled(home: string): void {
  if (!('enableCompileCache' in module && typeof module.enableCompileCache === 'function')) return
  const { XDG_CACHE_HOME = '' } = process.env
  const caches = isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(home, '.cache')
  const kept = join(caches, 'codex-api-proxy')
  try {
    for (const folder of [caches, kept]) {
      if (!existsSync(folder) && isOwn(dirname(folder))) mkdirSync(folder, { mode: 0o700 })
    }
    if (isOwn(kept) && !isWritableByOthers(kept)) module.enableCompileCache(kept)
  } catch {
    // No home, or one that takes no folders.
  }
}

/** The home of root under `sudo` may be that of a user, who must neither lose a folder to root nor have root run code. */
function isOwn(folder: string): boolean {
  return process.geteuid === undefined || statSync(folder).uid === process.geteuid()
}

function isWritableByOthers(folder: string): boolean {
  return process.geteuid !== undefined && (statSync(folder).mode & 0o022) !== 0
}

/** A folder that was deleted meanwhile has no path any more. */
function workingFolder(home: string): string {
  try {
    return process.cwd()
  } catch {
    return home
  }
}
