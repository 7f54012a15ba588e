import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { untilListening } from '../test/support/loopback.ts'

/** Who runs where: what is measured has a core for itself, the rest shares the other. */
type Core = 'measured' | 'rest'

const CORES: Readonly<Record<Core, string>> = { measured: '0', rest: '1' }
/** Whether processes are bound to cores; needs two of them, and taskset. */
export const PINNED = cpus().length > 1 && works('taskset', '--version')

/** Keeps the process that starts the others off the core of what is measured. */
export function pinSelf(): void {
  if (PINNED) works('taskset', '-acp', CORES.rest, String(process.pid))
}

const STOP_MS = 5000

export type Running = {
  readonly pid: number
  readonly port: number
  /** SIGTERM, after a while SIGKILL; resolves when the process is gone. */
  stop(): Promise<void>
  /** Asks over the channel, and waits for the answer; for a process started with `channel`. */
  ask(): Promise<unknown>
}

/** Where `tsx` is found. */
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** Runs a command of the bench; a signal ends it together with what it has started. `usage` follows a failure. */
export async function asCommand(work: () => Promise<void>, usage: string): Promise<void> {
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  try {
    await work()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exitCode = 1
  }
}

/** The command line of a part of the bench that runs as a process of its own. */
export function benchProgram(file: string, plan?: object): string[] {
  const path = fileURLToPath(new URL(file, import.meta.url))
  return [process.execPath, '--import', 'tsx', path, ...(plan === undefined ? [] : [JSON.stringify(plan)])]
}

type StartOptions = {
  readonly core: Core
  /** Its whole environment; ours if absent. */
  readonly env?: Readonly<Record<string, string>>
  /** Where it listens, when it doesn't say so itself. */
  readonly port?: number
  /** Standard error goes here too; else to nowhere. */
  readonly showErrors?: boolean
  /** With a channel for messages (heap-probe.ts). */
  readonly channel?: boolean
}

/** Starts a server; resolves when it listens. A server that isn't told a port says it on stdout: `listen… http://…:port`. */
export async function startServer(command: readonly string[], options: StartOptions): Promise<Running> {
  const child = launch(command, options)
  const ended = once(child, 'close')
  const early = ended.then(([code]): never => {
    throw new Error(`${command.slice(0, 3).join(' ')} … ended with code ${code} before it listened`)
  })
  early.catch(() => {})
  const port = await Promise.race([early, options.port === undefined ? saidPort(child) : listeningOn(options.port)])
  child.stdout?.resume()
  return {
    pid: child.pid ?? -1,
    port,
    async ask() {
      child.send('ask')
      const [answer] = await once(child, 'message')
      return answer
    },
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

/** Runs a program to its end; its stdout. */
export async function runProgram(command: readonly string[], options: StartOptions): Promise<string> {
  const child = launch(command, options)
  const pieces: Buffer[] = []
  child.stdout?.on('data', (bytes: Buffer) => pieces.push(bytes))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${command.slice(0, 4).join(' ')} … ended with code ${code}`)
  return Buffer.concat(pieces).toString()
}

function launch(command: readonly string[], { core, env, showErrors, channel }: StartOptions): ChildProcess {
  const [program = '', ...args] = PINNED ? ['taskset', '-c', CORES[core], ...command] : command
  const child = spawn(program, args, {
    env: env ?? process.env,
    cwd: ROOT,
    // stdin stays open until we are gone: our own programs end with it (process-life.ts).
    stdio: ['pipe', 'pipe', showErrors === true ? 'inherit' : 'ignore', ...(channel === true ? ['ipc' as const] : [])],
  })
  children.add(child)
  child.once('close', () => children.delete(child))
  return child
}

function saidPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    let said = ''
    child.stdout?.on('data', (bytes: Buffer) => {
      if (said.length < 4096) said += bytes.toString()
      const [, port] = /listen\S* on https?:\/\/[^\s/]+:(\d+)/.exec(said) ?? []
      if (port !== undefined) resolve(Number(port))
    })
  })
}

async function listeningOn(port: number): Promise<number> {
  await untilListening(port)
  return port
}

export function works(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The share of the machine a process has taken; undefined where there is no /proc. */
export type Usage = {
  readonly cpuSeconds: number
  readonly memoryBytes: number
  readonly peakBytes: number
}

/** Clock ticks of /proc/<pid>/stat are hundredths of a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

export function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program, in parentheses, may hold spaces; user and system time are fields 14 and 15 (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kilobytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0)
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      memoryBytes: kilobytes('VmRSS') * 1024,
      peakBytes: kilobytes('VmHWM') * 1024,
    }
  } catch {
    return undefined
  }
}

/** From now on `peakBytes` is the peak since now (proc(5), clear_refs). */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {
    // Without /proc there is no peak to forget.
  }
}
