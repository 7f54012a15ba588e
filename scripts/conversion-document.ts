import { CHAT_FIELDS, type ChatField, type Fate } from '../src/conversion/chat-fields.ts'

const NOTICE = '<!-- Made from src/conversion/chat-fields.ts by `npm run docs`; do not edit. -->'

const FATES: Readonly<Record<Fate, string>> = {
  converted: 'Upstream has the same under another name or in another form.',
  passed: 'Sent as it is.',
  emulated: 'Upstream has nothing like it; the proxy does it.',
  ignored: 'No effect. Named in the answer’s header `x-codex-proxy-ignored` and in the log; with `--strict` refused.',
  refused: 'A 400: an answer without it would be a wrong answer.',
}

/** Cases met in the field that the conversion of requests decides otherwise or leaves to others. */
const CASES_ELSEWHERE: readonly (readonly [cases: string, what: string, why: string])[] = [
  ['12', 'Refusing `n` above 1', 'Emulated up to 8.'],
  ['18', 'A Responses body on the Chat route', 'Refused with a word on where it belongs.'],
  ['20–22', 'Paths, encodings, size and content type of bodies', 'Matters of the server, not of conversion.'],
  ['23', 'camelCase names of fields', 'Unknown fields are ignored and reported.'],
  ['39', '`<think>` tags in the history', 'The proxy makes none, so none come back.'],
  [
    '58, 59, 61',
    'Renaming long or odd tool names',
    'Names pass as they are: Chat limits them already, and upstream says so.',
  ],
  ['63', 'The form in which custom calls come back', 'A matter of the answer.'],
  [
    '75, 76',
    'Mending histories whose calls and results do not match',
    'Refused as the API refuses them: a guess could change what happened.',
  ],
  ['77', 'Making up an id for a call without one', 'Refused: its result could not name it.'],
  ['99', 'Nothing but JSON in `content`', 'A matter of the answer.'],
  [
    '107',
    'Reasoning carried in the messages',
    'Kept in memory instead (case 106): clients drop fields they do not know.',
  ],
  ['110', 'The second try without reasoning', 'Made by the route; conversion only offers the request for it.'],
  ['183', 'Hashing the keys of clients', 'The key itself is sent; hashed only where it does not fit a header.'],
  ['185–187', 'Identity and headers', 'Set by the upstream client, never copied from the client.'],
  ['192', 'When to change to the Lite lane', 'Decided by the route; conversion only offers the request for it.'],
  ['193', '`reasoning.context` on the full lane', 'Disputed; not made up, passed if sent.'],
  ['207–209', 'Stored responses, compaction, WebSocket', 'Matters of the routes.'],
  ['210', 'Events passed byte by byte', 'A matter of the answer.'],
]

export function conversionDocument(): string {
  const fates = Object.entries(FATES).map(([fate, meaning]) => `- **${fate}**: ${meaning}`)
  const fields = Object.entries<ChatField>(CHAT_FIELDS).map(([name, { fate, note }]) => [`\`${name}\``, fate, note])
  return `${NOTICE}

# Chat Completions on a ChatGPT login

With a ChatGPT login the proxy turns each Chat Completions request into a Responses request, the only kind the backend
takes. With an API key nothing of this applies: requests are forwarded as they are.

## Fields of a request

${fates.join('\n')}

A field that is null or at the API's own default asks for nothing: it is neither reported nor refused. A field that is not
listed is ignored. Wrong types, unknown roles and broken histories are a 400 whose \`param\` names the exact place.

${table(['Field', 'Fate', 'What happens'], fields)}

Always sent: \`store: false\`, \`stream: true\`, \`include: ["reasoning.encrypted_content"]\` and a text as \`instructions\`. The same
request always becomes the same bytes, since the prompt cache depends on them.

## Messages

- Text, images and files become \`input_text\`, \`input_image\` and \`input_file\`; faults of base64 in data URLs are put right. In
  the results of tools, also in those that are JSON text, an image stays an image.
- Calls and results are paired by id, wherever they stand. Ids over 64 characters are shortened by a hash.
- Encrypted reasoning that led to tool calls is kept in memory and put back when a request replays those calls.

## Responses requests

What the backend knows passes; texts become lists, \`system\` becomes \`developer\`, ids of items that upstream has not stored are
dropped. Other fields are ignored and reported as above. \`previous_response_id\`, \`conversation\` and \`prompt\` are refused: without
them the answer would be to another question. A body with an \`additional_tools\` item (Codex's Lite lane) is not touched.

## Cases decided otherwise or elsewhere

The tests of conversion bear the numbers of cases met in the field. Of those that concern requests, these do not apply as they
were written down:

${table(['Case', 'About', 'Why'], CASES_ELSEWHERE)}
`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows]
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')
}
