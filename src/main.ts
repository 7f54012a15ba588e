#!/usr/bin/env node
import module from 'node:module'

// Node 22 and later keep what they compiled, so that the next start needn't; what is loaded below profits.
if ('enableCompileCache' in module && typeof module.enableCompileCache === 'function') module.enableCompileCache()
const { createPrint } = await import('./cli/print.ts')

const argv = process.argv.slice(2)
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
  const { homeFolder } = await import('./config/paths.ts')
  const home = homeFolder()
  process.exitCode = await runProgram(argv, {
    print,
    env: process.env,
    bases: { home, cwd: workingFolder(home) },
    program: process.argv[1] ?? '',
  })
}

/** A folder that was deleted meanwhile has no path any more. */
function workingFolder(home: string): string {
  try {
    return process.cwd()
  } catch {
    return home
  }
}
