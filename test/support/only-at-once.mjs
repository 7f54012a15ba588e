// Loaded before the program, makes it never do what it would do only after more than 100 ms: what it does all the same, it
// does at once, however slow the machine is.
const AT_ONCE_MS = 100
const NEVER_MS = 2 ** 31 - 1
const { setTimeout } = globalThis

globalThis.setTimeout = (work, delay, ...given) => setTimeout(work, delay > AT_ONCE_MS ? NEVER_MS : delay, ...given)
