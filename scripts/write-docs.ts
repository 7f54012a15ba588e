import { writeFile } from 'node:fs/promises'
import { GENERATED_DOCS } from './generated-docs.ts'

for (const [path, render] of Object.entries(GENERATED_DOCS)) {
  await writeFile(new URL(`../${path}`, import.meta.url), render())
}
