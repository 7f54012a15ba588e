import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addSettings, settingsOf } from './setting-flags.ts'

test('what is given with a flag that may be repeated adds up', () => {
  const argv = ['--allow-origin', 'https://a.test', '--allow-origin', 'file://']
  const command = addSettings(new Command(), ['allowOrigin']).parse(argv, { from: 'user' })
  expect(settingsOf(command.opts())).toEqual({ allowOrigin: ['https://a.test', 'file://'] })
})
