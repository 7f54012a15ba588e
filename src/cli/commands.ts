import type { CommandRow } from './command.ts'
import { BACKGROUND_COMMAND } from './context.ts'
import { ADDRESS, RUN_FILES, STOPPING } from './setting-groups.ts'
import { SHELL_FORMS } from './shell.ts'

const JSON_FLAG = { flag: '--json', help: 'Answer as JSON.' }

export const CLIENT_NAMES = [
  'env',
  'openai-python',
  'openai-node',
  'ai-sdk',
  'langchain',
  'copilot',
  'llm',
  'openclaw',
  'codex',
  'opencode',
  'opencode-2',
  'pi',
  'aider',
  'open-webui',
  'librechat',
  'cline',
  'continue',
  'gptel',
] as const
export const SHELLS = ['bash', 'zsh', 'fish'] as const
const SERVICE_ACTIONS = ['install', 'uninstall', 'status'] as const

/** The one table of commands: the program, its help and shell completion come from it; docs/cli.md is held to it. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'start',
    help: 'Start the server in the background.',
    group: 'Run',
    settings: 'all',
    flags: [{ flag: '--foreground', help: 'Stay in this terminal and log to it.' }],
    run: async (context, { settings, flags }) =>
      flags.foreground === true
        ? await (await import('./start/foreground.ts')).startInForeground(context, settings)
        : await (await import('./start/start.ts')).start(context, settings),
  },
  {
    name: 'stop',
    help: 'Stop it; running answers may finish.',
    group: 'Run',
    settings: STOPPING,
    run: async (context, { settings }) => await (await import('./stop.ts')).stop(context, settings),
  },
  {
    name: 'restart',
    help: 'Stop it and start it with its last settings; flags override them.',
    group: 'Run',
    settings: 'all',
    run: async (context, { settings }) => await (await import('./restart.ts')).restart(context, settings),
  },
  {
    name: 'status',
    help: 'Show whether it runs; exit code 0 if so, 3 if not.',
    group: 'Look',
    settings: ADDRESS,
    flags: [{ flag: '-v, --verbose', help: 'Also the login, limits, and each setting with its origin.' }, JSON_FLAG],
    run: async (context, call) => await (await import('./status.ts')).status(context, call),
  },
  {
    name: 'logs',
    help: 'Show the log of the background server.',
    group: 'Look',
    settings: RUN_FILES,
    flags: [
      { flag: '-f, --follow', help: 'Go on showing what is logged.' },
      { flag: '-n, --lines <number>', help: 'How many of the last lines (default: 50).' },
      { flag: '--json', help: 'The lines as they are in the file.' },
    ],
    run: async (context, call) => await (await import('./logs.ts')).logs(context, call),
  },
  {
    name: 'doctor',
    help: 'Check everything a request needs, and say what to do.',
    group: 'Look',
    settings: 'all',
    flags: [
      { flag: '--call', help: 'Also send one short request, which counts against your limits.' },
      { flag: '--model <id>', help: 'The model that --call names (default: as for `clients`).' },
      JSON_FLAG,
    ],
    run: async (context, call) => await (await import('./doctor/doctor.ts')).doctor(context, call),
  },
  {
    name: 'clients',
    help: 'Show ready configuration for a client.',
    group: 'Set up',
    settings: ADDRESS,
    flags: [
      { flag: '--model <id>', help: 'The model to name (default: the best or newest usual one).' },
      { flag: '--show-key', help: 'Fill in the client key.' },
      {
        flag: '--shell <name>',
        help: 'For which shell to write commands and variables; by default PowerShell on Windows, else sh.',
        choices: Object.keys(SHELL_FORMS),
      },
      JSON_FLAG,
    ],
    argument: { usage: '[client]', help: 'Which one; without it, the list.', choices: CLIENT_NAMES },
    run: async (context, call) => await (await import('./clients/clients.ts')).clients(context, call),
  },
  {
    name: 'service',
    help: 'Start it with your session: a systemd user unit, or a launchd agent.',
    group: 'Set up',
    settings: 'all',
    flags: [
      { flag: '--print', help: 'Only show the file and the commands.' },
      { flag: '--show-secrets', help: 'Fill in secrets in what --print shows.' },
      JSON_FLAG,
    ],
    argument: { usage: '<action>', help: 'What to do.', choices: SERVICE_ACTIONS },
    run: async (context, call) => await (await import('./service/service.ts')).service(context, call),
  },
  {
    name: 'completion',
    help: 'Print completion for your shell.',
    group: 'Set up',
    settings: [],
    argument: { usage: '<shell>', help: 'Which shell.', choices: SHELLS },
    run: async (context, call) => (await import('./completion.ts')).completion(context, call, COMMANDS),
  },
  {
    name: BACKGROUND_COMMAND,
    help: 'What `start` runs.',
    group: 'Run',
    settings: [],
    hidden: true,
    run: async (context) => await (await import('./start/background.ts')).runInBackground(context),
  },
]
