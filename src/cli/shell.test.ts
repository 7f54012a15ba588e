import { expect, test } from 'vitest'
import { SHELL_FORMS } from './shell.ts'

test('no quote ends a word early, a typographic one in PowerShell neither', () => {
  expect(SHELL_FORMS.sh.word("a'b’c")).toBe("'a'\\''b’c'")
  expect(SHELL_FORMS.powershell.word("a'b‘c’d‚e‛f“g")).toBe("'a''b‘‘c’’d‚‚e‛‛f“g'")
})
