import type { OptionName } from '../config/options.ts'

// The settings that a command uses: an invalid value of any other one must not stop it.

export const RUN_FILES = ['pidFile', 'logFile', 'stateFile'] as const satisfies readonly OptionName[]
/** What it takes to reach a server, wherever it runs. */
export const ADDRESS = ['host', 'port', 'apiKey', 'apiKeyFile', 'tlsCert', ...RUN_FILES] as const
/** What it takes to stop one. */
export const STOPPING = [...RUN_FILES, 'drainTimeout'] as const
