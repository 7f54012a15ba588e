import type { CommandRow } from './command.ts'
import { BACKGROUND_COMMAND } from './context.ts'
import { ADDRESS, RUN_FILES, STOPPING } from './setting-groups.ts'
import { SHELL_FORMS } from './shell.ts'

const JSON_FLAG = { flag: '--json', help: 'Print JSON.' }

/** Those of the table of clients, which would be loaded with every command; a test compares the two. */
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

/**
 * The one table of commands: the program, its help and shell completion are generated from it; a test compares
 * docs/cli.md with it.
 */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'start',
    help: 'Start the server in the background.',
    group: 'Run',
    settings: 'all',
    flags: [{ flag: '--foreground', help: 'Stay in this terminal and log to it.' }],
    run: async (context, { settings, flags }) =>
      flags.foreground === true
        ? await (await import('./commands/start/foreground.ts')).startInForeground(context, settings)
        : await (await import('./commands/start/start.ts')).start(context, settings),
  },
  {
    name: 'stop',
    help: 'Stop the background server; running answers may finish.',
    group: 'Run',
    settings: STOPPING,
    run: async (context, { settings }) => await (await import('./commands/stop.ts')).stop(context, settings),
  },
  {
    name: 'restart',
    help: 'Restart the background server with its last settings; flags override them.',
    group: 'Run',
    settings: 'all',
    run: async (context, { settings }) => await (await import('./commands/restart.ts')).restart(context, settings),
  },
  {
    name: 'status',
    help: 'Show whether the server is running; exit code 0 if so, 3 if not.',
    group: 'Inspect',
    settings: ADDRESS,
    flags: [
      { flag: '-v, --verbose', help: 'Also show the login, limits, and each setting with its origin.' },
      JSON_FLAG,
    ],
    run: async (context, call) => await (await import('./commands/status.ts')).status(context, call),
  },
  {
    name: 'logs',
    help: 'Show the log of the background server.',
    group: 'Inspect',
    settings: RUN_FILES,
    flags: [
      { flag: '-f, --follow', help: 'Keep showing new lines.' },
      { flag: '-n, --lines <number>', help: 'How many lines to show (default: 50).' },
      { flag: '--json', help: 'Show the lines as they are in the file.' },
    ],
    run: async (context, call) => await (await import('./commands/logs/logs.ts')).logs(context, call),
  },
  {
    name: 'doctor',
    help: 'Check everything a request needs, and say how to fix it.',
    group: 'Inspect',
    settings: 'all',
    flags: [
      { flag: '--call', help: 'Also send one short request, which counts against your limits.' },
      { flag: '--model <id>', help: 'Model that --call uses (default: as for `clients`).' },
      JSON_FLAG,
    ],
    run: async (context, call) => await (await import('./commands/doctor/doctor.ts')).doctor(context, call),
  },
  {
    name: 'clients',
    help: 'Print ready-to-paste configuration for a client.',
    group: 'Set up',
    settings: ADDRESS,
    flags: [
      { flag: '--model <id>', help: 'Model to fill in (default: the best or newest chat model).' },
      { flag: '--show-key', help: 'Fill in the client key.' },
      {
        flag: '--shell <name>',
        help: 'Shell to write commands and variables for (default: powershell on Windows, else sh).',
        choices: Object.keys(SHELL_FORMS),
      },
      JSON_FLAG,
    ],
    argument: {
      usage: '[client]',
      help: 'Client to print the configuration for; omit it to list all.',
      choices: CLIENT_NAMES,
    },
    run: async (context, call) => await (await import('./commands/clients/clients.ts')).clients(context, call),
  },
  {
    name: 'service',
    help: 'Start the server with your session (systemd user unit or launchd agent).',
    group: 'Set up',
    settings: 'all',
    flags: [
      { flag: '--print', help: 'Only show the file and the commands.' },
      { flag: '--show-secrets', help: 'Include secrets in what --print shows.' },
      JSON_FLAG,
    ],
    argument: { usage: '<action>', help: 'What to do.', choices: SERVICE_ACTIONS },
    run: async (context, call) => await (await import('./commands/service/service.ts')).service(context, call),
  },
  {
    name: 'completion',
    help: 'Print a completion script for your shell.',
    group: 'Set up',
    settings: [],
    argument: { usage: '<shell>', help: 'Shell to complete in.', choices: SHELLS },
    run: async (context, call) => (await import('./commands/completion.ts')).completion(context, call, COMMANDS),
  },
  {
    name: BACKGROUND_COMMAND,
    help: 'What `start` runs.',
    group: 'Run',
    settings: [],
    hidden: true,
    run: async (context) => await (await import('./commands/start/background.ts')).runInBackground(context),
  },
]
