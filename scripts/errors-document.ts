import { UPSTREAM_CODES } from '../src/conversion/failure/upstream-error.ts'
import { ERRORS, type ErrorCode } from '../src/error-table.ts'
import { errorType } from '../src/errors.ts'
import { markdownTable } from './markdown-table.ts'

const NOTICE =
  '<!-- Made from src/error-table.ts and src/conversion/failure/upstream-error.ts by `npm run docs`; do not edit. -->'

export function errorsDocument(): string {
  const codes = Object.keys(ERRORS) as ErrorCode[] // the keys of this very table
  const rows = codes.map((code) => {
    const { status, remedy } = ERRORS[code]
    const told = code === 'upstream_error' ? 'that of upstream, or 502' : String(status)
    return [`\`${code}\``, told, `\`${errorType(status)}\``, remedy]
  })
  const upstreamRows = [...UPSTREAM_CODES].map(([code, { status }]) => [`\`${code}\``, String(status)])
  return `${NOTICE}

# Errors

Every failure has the status and the body of OpenAI's API, on every path but \`/health\` and \`/ready\`, which describe a
state:

\`\`\`json
{"error": {"message": "What happened. What to do.", "type": "…", "param": null, "code": "…"}}
\`\`\`

\`param\` names the exact field of a request that is at fault: \`messages[2].content[0].type\`. The header
\`x-codex-proxy-request-id\` has the id under which the log tells of a \`/v1\` request.

If the 200 has been sent already, the answer ends with the same body as a frame, \`data: {"error":{…}}\`, and without
\`[DONE]\`: the official clients throw on that frame. On \`/v1/responses\` the frame is an \`error\` event, and as at
the API a \`response.failed\` follows, the only one that Codex reads. The 200 is held back until there is something to show,
so most failures keep their status.

## What the proxy itself reports

${markdownTable(['Code', 'Status', 'Type', 'What to do'], rows)}

## What upstream reports

Its message, \`param\` and \`code\` are kept; a web page or any other body becomes an error in the form above. With an API key
errors pass as they came. With a ChatGPT login these codes have a fixed status, also when they come inside an answer
that began with a 200:

${markdownTable(['Code', 'Status'], upstreamRows)}

A 429 or 503 says when to try again, where upstream says so: \`Retry-After\`, and for limits \`x-ratelimit-remaining-requests\`
and \`x-ratelimit-reset-requests\`. Limits that no retry outlasts have \`x-should-retry: false\`, which the official clients
honour. When the usage limit of a plan is reached, the message says when it resets, and \`type\`, \`plan_type\` and \`resets_at\`
are those of upstream, by which Codex knows it; \`insufficient_quota\` would be taken for an unpaid bill.
What a \`misalignment_policy_violation\` says in \`misalignment\` is kept: Codex shows it, and may go on by it.

An unknown model is a 404 on Chat and a 400 with \`param: "model"\` on Responses, as the API has it.

What fails before the answer has begun, with whatever item, is tried again by the proxy, at most twice: broken connections, 502
and 503, of the CDN also 520 to 523, 525 and 530, and, with a ChatGPT login, a break inside a 200, or overload,
\`rate_limit_exceeded\`, \`server_error\` or a failure without a code there. Not if upstream asks for a wait of more than
5 seconds or says \`x-should-retry: false\`. Nothing else is tried again: nothing that a client may have acted on, and,
with an API key, no PATCH and no POST to another path than \`/v1/chat/completions\` and \`/v1/responses\`, which might
do something twice.
`
}
