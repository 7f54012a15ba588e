import { describeError } from '../system/describe-error.ts'

/** What happened, in one line for a person; commander would put its suggestion into a second line. */
export function explain(error: unknown): string {
  return describeError(error)
    .replace(/^error: /, '')
    .replace(/^command-argument value '(.*)' is invalid for argument '(.*)'\./, "there is no $2 '$1'.")
    .replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?')
    .replace(/\s*\n\s*/g, ' ')
}
