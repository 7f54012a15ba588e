import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiKeyAuth } from '../support/auth-files.ts'
import { createHome, type Home, run } from '../support/program.ts'

// The server in the background works in another folder than the command that started it.

let home: Home
beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(apiKeyAuth())
})
afterEach(() => home.remove())

test('with a relative HOME the server and the commands mean the same folder', async () => {
  const command = (...args: string[]) => run(args, { home, env: { HOME: '.' } })
  const { stdout } = await command('start', '--port', '0')
  const pid = Number(/process (\d+)/.exec(stdout)?.[1])
  try {
    expect((await command('status')).stdout).toContain(`(process ${pid})`)
    expect((await run(['status'], { home })).stdout).toContain(`(process ${pid})`)
    expect((await command('stop')).stdout).toBe(`Stopped process ${pid}.\n`)
  } catch (error) {
    process.kill(pid, 'SIGKILL')
    throw error
  }
})
