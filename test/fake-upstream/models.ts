/** An entry of the ChatGPT backend's catalogue; the fields that matter to a client (docs/upstream.md 4.7). */
export type ModelEntry = {
  readonly slug: string
  readonly visibility: 'list' | 'hide'
  readonly supported_in_api: boolean
  readonly priority: number
  readonly minimal_client_version: string
  readonly supported_reasoning_levels: readonly { readonly effort: string; readonly description: string }[]
  readonly use_responses_lite: boolean
  readonly [key: string]: unknown
}

type Brief = {
  slug: string
  name: string
  priority: number
  since: string
  efforts: readonly string[]
  lite?: boolean
  hidden?: boolean
}

/** Several kinds of models: with and without Lite, hidden, and one that is newer than any released Codex. */
export const MODELS: readonly ModelEntry[] = [
  { slug: 'gpt-6.2-sol', name: 'GPT-6.2 Sol', priority: 0, since: '999.0.0', efforts: ['low', 'high'], lite: true },
  {
    slug: 'gpt-6.1-sol',
    name: 'GPT-6.1 Sol',
    priority: 1,
    since: '0.155.0',
    efforts: ['low', 'medium', 'high', 'xhigh', 'max', 'ultra'],
    lite: true,
  },
  {
    slug: 'gpt-6-astra',
    name: 'GPT-6 Astra',
    priority: 2,
    since: '0.153.0',
    efforts: ['medium', 'high', 'xhigh'],
    lite: true,
  },
  {
    slug: 'gpt-5.6-luna',
    name: 'GPT-5.6 Luna',
    priority: 5,
    since: '0.144.0',
    efforts: ['low', 'medium', 'high'],
    lite: true,
  },
  { slug: 'gpt-5.5', name: 'GPT-5.5', priority: 9, since: '0.100.0', efforts: ['low', 'medium', 'high', 'xhigh'] },
  {
    slug: 'codex-auto-review',
    name: 'Codex Auto Review',
    priority: 20,
    since: '0.100.0',
    efforts: ['low', 'medium', 'high'],
    hidden: true,
  },
].map(modelEntry)

export function modelEntry(brief: Brief): ModelEntry {
  return {
    slug: brief.slug,
    display_name: brief.name,
    description: `${brief.name}, as the fake upstream plays it.`,
    visibility: brief.hidden === true ? 'hide' : 'list',
    supported_in_api: brief.hidden !== true,
    priority: brief.priority,
    minimal_client_version: brief.since,
    available_in_plans: ['plus', 'pro', 'team', 'business', 'enterprise'],
    default_reasoning_level: 'medium',
    supported_reasoning_levels: brief.efforts.map((effort) => ({
      effort,
      description: `Thinks with ${effort} effort`,
    })),
    supports_reasoning_summaries: true,
    support_verbosity: true,
    default_verbosity: 'low',
    context_window: 272_000,
    max_context_window: 272_000,
    effective_context_window_percent: 95,
    truncation_policy: { mode: 'tokens', limit: 10_000 },
    input_modalities: ['text', 'image'],
    supports_parallel_tool_calls: true,
    supports_image_detail_original: true,
    use_responses_lite: brief.lite === true,
    prefer_websockets: true,
    service_tiers: [{ id: 'priority', name: 'Fast', description: 'Quicker answers' }],
    shell_type: 'shell_command',
    base_instructions: 'You are a coding agent.',
    experimental_supported_tools: [],
  }
}

/** What an account sees with this client version: newer models stay hidden from older clients. */
export function catalogueFor(models: readonly ModelEntry[], clientVersion: string): { models: ModelEntry[] } {
  return { models: models.filter((model) => !isOlder(clientVersion, model.minimal_client_version)) }
}

/** Whether a dotted version is before another; anything that is no version is older than all. */
export function isOlder(version: string, than: string): boolean {
  const [given, wanted] = [numbers(version), numbers(than)]
  for (const [index, part] of wanted.entries()) {
    const difference = (given[index] ?? -1) - part
    if (difference !== 0) return difference < 0
  }
  return false
}

function numbers(version: string): number[] {
  return version.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : -1))
}
