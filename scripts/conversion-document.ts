import { CHAT_FIELDS, type ChatField, type Handling } from '../src/conversion/request/chat/chat-fields.ts'
import { markdownTable } from './markdown-table.ts'

const NOTICE = '<!-- Made from src/conversion/request/chat/chat-fields.ts by `npm run docs`; do not edit. -->'

const HANDLINGS: Readonly<Record<Handling, string>> = {
  converted: 'Upstream has an equivalent under another name or in another form.',
  passed: 'Sent unchanged.',
  emulated: 'Upstream has no equivalent; the proxy does it itself.',
  ignored:
    'Has no effect. Listed in the response header `x-codex-proxy-ignored` and in the log; refused with `--strict`.',
  refused: 'Answered with a 400: without it the answer would be wrong.',
}

type Decision = { readonly cases: readonly number[]; readonly about: string; readonly decision: string }

/** Of the numbered cases met in the field: those that were decided otherwise, and those that can't arise here. */
export const OTHER_DECISIONS: readonly Decision[] = [
  { cases: [12], about: 'Refusing `n` above 1', decision: 'Emulated up to 8.' },
  {
    cases: [18],
    about: 'A Responses body on the Chat route',
    decision: 'Refused, with a message that says where it belongs.',
  },
  { cases: [23], about: 'camelCase names of fields', decision: 'Unknown fields are ignored and reported.' },
  {
    cases: [39],
    about: '`<think>` tags in the history',
    decision: 'The proxy produces none, so none come back; what a user writes is passed unchanged.',
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
    decision: 'Names pass unchanged: Chat already limits them, and upstream reports bad ones.',
  },
  {
    cases: [75, 76],
    about: 'Repairing histories whose calls and results do not match',
    decision: 'Refused as the API refuses them: a guess could change what happened.',
  },
  {
    cases: [77],
    about: 'Making up an id for a call without one',
    decision: 'Refused: its result could not refer to it.',
  },
  {
    cases: [107],
    about: 'Reasoning carried in the messages',
    decision: 'Kept in memory instead (case 106): clients drop fields they do not know.',
  },
  {
    cases: [152],
    about: 'Usage of answers whose client disconnected',
    decision: 'The request is cancelled at once, before upstream reports usage; none is made up.',
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
    about: 'Protocol events to fill silence on the Responses route',
    decision: 'Comments, as on the Chat route; upstream’s `keepalive` events are passed through.',
  },
  { cases: [183], about: 'Hashing cache keys of clients', decision: 'Hashed only if a key does not fit a header.' },
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
  const handlings = Object.entries(HANDLINGS).map(([handling, meaning]) => `- **${handling}**: ${meaning}`)
  const fields = Object.entries<ChatField>(CHAT_FIELDS).map(([name, { handling, note }]) => [
    `\`${name}\``,
    handling,
    note,
  ])
  const decisions = OTHER_DECISIONS.map(({ cases, about, decision }) => [cases.join(', '), about, decision])
  return `${NOTICE}

# Chat Completions on a ChatGPT login

With a ChatGPT login the proxy turns each Chat Completions request into a Responses request, the only kind that the backend
accepts. With an API key none of this applies: requests are forwarded unchanged.

## Fields of a request

${handlings.join('\n')}

A field that is null or has the API's own default is neither reported nor refused. A field that is not listed is ignored.
Wrong types, unknown roles and broken histories are a 400 whose \`param\` names the exact place.

${markdownTable(['Field', 'Handling', 'What happens'], fields)}

Always sent: \`store: false\`, \`stream: true\`, \`include: ["reasoning.encrypted_content"]\` and a string as \`instructions\`. The same
request always becomes the same bytes, since the prompt cache depends on that.

## Messages

- Text, images and files become \`input_text\`, \`input_image\` and \`input_file\`; malformed base64 in data URLs is corrected.
- An image in a tool result stays an image, also if the result is JSON text; one that upstream could not read, such as an SVG,
  becomes a text that says so.
- Half a character, as in a text that was cut within an emoji, becomes U+FFFD, here and in Responses requests: upstream would
  refuse the whole request, and each one that repeats it.
- Citation markers in the text of an answer (\`cite\`, with source ids between private-use characters), which only ChatGPT's own
  page can show, are removed, and the positions of \`annotations\` are adjusted. \`/v1/responses\` passes them through.
- Calls and results are paired by id, wherever they are. Ids over 64 characters, and empty ones, become a hash.
- An answer that was stopped while the model was thinking (\`content: null\`, or nothing but the reasoning) is left out, although
  the API refuses it: clients keep it in their history, where it would end the conversation.
- Encrypted reasoning that led to tool calls is kept in memory and put back in its place when a request replays those calls,
  recognised by id, name and arguments, however a client formats them.

## Responses requests

- **Fields** that the backend knows are passed. A string becomes a list, \`system\` becomes \`developer\`, and in a tool result an
  image that upstream could not read becomes a text, as in Chat. The effort \`ultra\` is sent as \`max\`. Other fields are ignored
  and reported as above.
- **Dropped from items** is what upstream does not accept back: ids of items that it has not stored, what the official clients add
  to parsed items (\`parsed\`), how an image was made, the sources of a search, an image without its result.
- **\`prompt_cache_key\`**, if absent, is derived as for Chat: without one upstream hardly ever finds the conversation in its cache,
  which costs quota.
- **\`conversation\` and \`prompt\`** are refused: without them the question would be a different one.
- **\`previous_response_id\`**: upstream stores no responses. Unless a client sends \`store: false\`, the proxy keeps requests and
  answers in memory: the last 32 MB, for a day after their last use, and the last 8 MB of items for two hours. The id is replaced
  by the items of its conversation, in front of the input; an unknown one, after a restart for example, is refused with the API's
  \`previous_response_not_found\`. What a client itself sends on the Lite lane is not remembered.
- **\`item_reference\`** (an item that is only an id) is replaced by the remembered item; an unknown one is left out and reported.
- **Unreadable reasoning** (\`invalid_encrypted_content\`: from another account or model, or too old), or reasoning that no output of
  the model follows, is left out when the request is sent once more.
- **Lite lane**: a body with an \`additional_tools\` item and without \`tools\` (Codex's Lite lane) is not touched; beside
  \`tools\`, or if it brings a hosted tool, which that lane does not have, such an item is passed like any other. If upstream says
  that it does not have a model, and its list marks that model for the Lite lane, the request is sent once more on that lane, on
  either route (\`--lite-lane none\` turns that off).
- **Streams** are passed on byte for byte, except: \`codex.*\` events are left out, and \`response.metadata\` unless Codex asks; the
  last event gets the items that are missing from its \`output\`; comments fill silence. Without \`stream\` the proxy assembles the
  answer.
- **\`POST /v1/responses/compact\`**, which upstream no longer has, becomes an ordinary request that ends with a
  \`compaction_trigger\`. As in the API, its answer has the user's messages and one \`compaction\` item that stands for everything
  else; use them as the \`input\` to continue the conversation.

## Cases decided otherwise

[test/CASES.md](https://github.com/codex-api-proxy/codex-api-proxy/blob/main/test/CASES.md) numbers cases that programs of this
kind have met in the field; tests begin with these numbers. Facts about upstream itself are in [upstream.md](upstream.md). Every
case has a test that shows it is handled, except these, which were decided otherwise or can't arise here; most of them have a test
that shows the decision:

${markdownTable(['Case', 'About', 'Decision'], decisions)}
`
}
