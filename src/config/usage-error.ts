/** A flag or variable that can't be used as given: one line for the person, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
