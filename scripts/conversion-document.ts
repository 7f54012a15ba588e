import { CHAT_FIELDS, type ChatField, type Fate } from '../src/conversion/request/chat/chat-fields.ts'
import { markdownTable } from './markdown-table.ts'

const NOTICE = '<!-- Made from src/conversion/request/chat/chat-fields.ts by `npm run docs`; do not edit. -->'

const FATES: Readonly<Record<Fate, string>> = {
  converted: 'Upstream has the same under another name or in another form.',
  passed: 'Sent as it is.',
  emulated: 'Upstream has nothing like it; the proxy does it.',
  ignored: 'No effect. Named in the answer’s header `x-codex-proxy-ignored` and in the log; with `--strict` refused.',
  refused: 'A 400: an answer without it would be a wrong answer.',
}

type Decision = { readonly cases: readonly number[]; readonly about: string; readonly decision: string }

/** Of the numbered cases met in the field: those that were decided otherwise, and those that can't arise here. */
export const OTHER_DECISIONS: readonly Decision[] = [
  { cases: [12], about: 'Refusing `n` above 1', decision: 'Emulated up to 8.' },
  { cases: [18], about: 'A Responses body on the Chat route', decision: 'Refused with a word on where it belongs.' },
  { cases: [23], about: 'camelCase names of fields', decision: 'Unknown fields are ignored and reported.' },
  {
    cases: [39],
    about: '`<think>` tags in the history',
    decision: 'The proxy makes none, so none come back; what a user writes is passed as it is.',
  },
  { cases: [46], about: 'Refusing files by their id', decision: 'Passed: upstream knows which ids it has.' },
  {
    cases: [54],
    about: 'Leaving `strict` out where it is absent',
    decision: 'Sent as `false`: the Responses API would take its absence for `true`.',
  },
  {
    cases: [58, 59, 61],
    about: 'Renaming long or odd tool names',
    decision: 'Names pass as they are: Chat limits them already, and upstream says so.',
  },
  {
    cases: [75, 76],
    about: 'Mending histories whose calls and results do not match',
    decision: 'Refused as the API refuses them: a guess could change what happened.',
  },
  {
    cases: [77],
    about: 'Making up an id for a call without one',
    decision: 'Refused: its result could not name it.',
  },
  {
    cases: [107],
    about: 'Reasoning carried in the messages',
    decision: 'Kept in memory instead (case 106): clients drop fields they do not know.',
  },
  {
    cases: [152],
    about: 'Usage of answers whose client left',
    decision: 'The request is ended at once, before upstream has counted; none is made up.',
  },
  {
    cases: [165],
    about: '`[DONE]` after an error frame',
    decision:
      'The stream ends without it (cases 142, 177): a client that sees `[DONE]` takes half an answer for a whole one.',
  },
  {
    cases: [167],
    about: 'Early failures as `response.failed` in a stream',
    decision: 'They are HTTP errors (case 164), which every client understands.',
  },
  {
    cases: [171],
    about: 'Events in the protocol to fill silence on the Responses route',
    decision: 'Comments, as on the Chat route; the `keepalive` events of upstream pass.',
  },
  { cases: [183], about: 'Hashing the keys of clients', decision: 'Hashed only where a key does not fit a header.' },
  {
    cases: [193],
    about: '`reasoning.context` on the full lane',
    decision: 'Disputed; not made up, passed if sent.',
  },
  {
    cases: [196],
    about: 'The list of models on disk',
    decision: 'In memory; the fallback is the list that an installed Codex keeps on disk.',
  },
]

export function conversionDocument(): string {
  const fates = Object.entries(FATES).map(([fate, meaning]) => `- **${fate}**: ${meaning}`)
  const fields = Object.entries<ChatField>(CHAT_FIELDS).map(([name, { fate, note }]) => [`\`${name}\``, fate, note])
  const decisions = OTHER_DECISIONS.map(({ cases, about, decision }) => [cases.join(', '), about, decision])
  return `${NOTICE}

# Chat Completions on a ChatGPT login

With a ChatGPT login the proxy turns each Chat Completions request into a Responses request, the only kind the backend
takes. With an API key nothing of this applies: requests are forwarded as they are.

## Fields of a request

${fates.join('\n')}

A field that is null or at the API's own default asks for nothing: it is neither reported nor refused. A field that is not
listed is ignored. Wrong types, unknown roles and broken histories are a 400 whose \`param\` names the exact place.

${markdownTable(['Field', 'Fate', 'What happens'], fields)}

Always sent: \`store: false\`, \`stream: true\`, \`include: ["reasoning.encrypted_content"]\` and a text as \`instructions\`. The same
request always becomes the same bytes, since the prompt cache depends on them.

## Messages

- Text, images and files become \`input_text\`, \`input_image\` and \`input_file\`; faults of base64 in data URLs are put right. In
  the results of tools, also in those that are JSON text, an image stays an image; one that upstream could not read, an SVG
  for example, becomes a text that says so.
- Half of a character, as a text has that was cut within an emoji, becomes U+FFFD, here and in Responses requests: upstream
  would refuse the whole request, and each that repeats it.
- Markers of citations in the text of an answer (\`cite\`, with ids of sources between private characters), which only ChatGPT's
  own page can show, are left out; the positions of \`annotations\` count without them. \`/v1/responses\` passes them.
- Calls and results are paired by id, wherever they stand. Ids over 64 characters are shortened by a hash.
- An answer that was stopped while the model thought (\`content: null\`, or nothing but the thought) is left out, though the API
  refuses it: clients keep it in their history, where it would end the conversation.
- Encrypted reasoning that led to tool calls is kept in memory and put back where it stood when a request replays those
  calls: the same id, name and arguments, however a client writes them.

## Responses requests

What the backend knows passes; texts become lists, \`system\` becomes \`developer\`, ids of items that upstream has not stored are
dropped, and so is what it does not take back: what the official clients add to items they have parsed (\`parsed\`), how an image
was made, the sources of a search, an image without its result. Other fields are ignored and reported as above.
In the result of a tool an image that upstream could not read becomes a text, and the effort \`ultra\` is sent as \`max\`, as in
Chat. A \`prompt_cache_key\` that is absent is derived as for Chat: without one upstream hardly finds what it has of a conversation in its cache, which costs quota.
\`conversation\` and \`prompt\` are refused: without them the answer would be to another question.

Upstream keeps no answers. For clients that do not say \`store: false\` the last 32 MB of what was asked and answered are kept
in memory, for a day after their last use, and the last 8 MB of items for two hours. A \`previous_response_id\` becomes the
items of its conversation, in front of the input; one that is not there, after a restart for example, is refused with the
API's \`previous_response_not_found\`. What a client itself sends on the Lite lane is not remembered. An item that is only an id (\`item_reference\`) is put in; one that is not there is left
out and reported.

Reasoning that upstream cannot read (\`invalid_encrypted_content\`: of another account or model, or too old), or after which
nothing of the model comes, is left out when the request is sent once more. A body with an \`additional_tools\` item and without \`tools\` (Codex's Lite lane) is not touched;
beside \`tools\` such an item passes like any other. A model that upstream does not have otherwise is asked for on that lane
once more, on either route, if the catalogue says that it wants it (\`--lite-lane none\`: it is not).

\`POST /v1/responses/compact\`, which upstream has no more, becomes an ordinary request that ends with a \`compaction_trigger\`.
Its answer has the messages of the user and the one \`compaction\` item that stands for all else, as the API's has; they are the
\`input\` that a conversation goes on from.

## Cases decided otherwise

Tests bear the numbers of the cases in [test/CASES.md](https://github.com/codex-api-proxy/codex-api-proxy/blob/main/test/CASES.md),
met in the field by programs of this kind; what is known of upstream itself is in [upstream.md](upstream.md). Each case has a test that shows it is met, but these,
which were decided otherwise or can't arise here; most of them have a test that shows the decision:

${markdownTable(['Case', 'About', 'Decision'], decisions)}
`
}
