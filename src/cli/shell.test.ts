import { expect, test } from 'vitest'
import { playPlatform } from '../../test/support/platform.ts'
import { SHELL_FORMS, shellForm } from './shell.ts'

test('no quote ends a word early, a typographic one in PowerShell neither', () => {
  expect(SHELL_FORMS.sh.word("a'b’c")).toBe("'a'\\''b’c'")
  expect(SHELL_FORMS.powershell.word("a'b‘c’d‚e‛f“g")).toBe("'a''b‘‘c’’d‚‚e‛‛f“g'")
})

test('the shell that is named is written for, on Windows too, where it is PowerShell unless one of Unix is in use', () => {
  const restore = playPlatform('win32')
  try {
    expect(shellForm('sh', {})).toBe(SHELL_FORMS.sh)
    expect(shellForm('powershell', { SHELL: '/bin/bash' })).toBe(SHELL_FORMS.powershell)
    expect(shellForm(undefined, {})).toBe(SHELL_FORMS.powershell)
    expect(shellForm(undefined, { SHELL: '/bin/bash' })).toBe(SHELL_FORMS.sh)
  } finally {
    restore()
  }
})
