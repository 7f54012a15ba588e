import type { GivenSettings, Origins } from '../config/load.ts'
import type { RunningServer } from './pid-file.ts'

/** From `start` to the process it spawned. Settings are sent this way since others can see arguments and variables. */
export type StartOrder = { readonly settings: GivenSettings; readonly origins: Origins }

/** From the spawned process to `start`, exactly once. */
export type StartReport =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'running'; readonly server: RunningServer }
  /** `code`: Node's own (`EADDRINUSE`), or `usage` for settings that can't be used. */
  | { readonly kind: 'failed'; readonly reason: string; readonly code?: string }
