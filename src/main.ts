#!/usr/bin/env node
import { existsSync, mkdirSync, statSync } from 'node:fs'
import module from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'

/**
 * The oldest usable minor version of each major, as in `engines` of package.json; Node 21 lacks what Node 20 got later.
 */
const NEEDED_NODE = { 20: 19, 22: 3 } as const

if (isNodeTooOld(process.versions.node)) {
  // Not with print.ts: an older Node can't load it.
  process.stderr.write(
    `codex-api-proxy needs Node 20.${NEEDED_NODE[20]}, or 22.${NEEDED_NODE[22]} and newer; this is Node ` +
      `${process.versions.node} (${process.execPath}). Install a newer one, or put it first in PATH.\n`,
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

  // These two need no command-line parser, so they are answered before it is loaded.
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
 * Node 22 and later can cache compiled code for the next start; this applies to modules loaded after this call. Node
 * runs what it finds in that folder without comparing it with the source, so nobody but the user may write there.
 * Node's default is in /tmp, where any user may have created it first. Without such a folder everything is compiled at
 * each start.
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
    // No home folder, or none where folders can be created.
  }
}

/** Under `sudo`, root's home may be that of a user, who must neither lose a folder to root nor get root to run code. */
function isOwn(folder: string): boolean {
  return process.geteuid === undefined || statSync(folder).uid === process.geteuid()
}

function isWritableByOthers(folder: string): boolean {
  return process.geteuid !== undefined && (statSync(folder).mode & 0o022) !== 0
}

/** A deleted folder has no path any more. */
function workingFolder(home: string): string {
  try {
    return process.cwd()
  } catch {
    return home
  }
}
