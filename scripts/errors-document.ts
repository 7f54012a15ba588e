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

Every failure has a status and a body as in OpenAI's API, except on \`/health\` and \`/ready\`, which describe a state:

\`\`\`json
{"error": {"message": "What happened. What to do.", "type": "…", "param": null, "code": "…"}}
\`\`\`

\`param\` names the exact field of the request that is wrong: \`messages[2].content[0].type\`. The header
\`x-codex-proxy-request-id\` has the id of a \`/v1\` request in the log.

If the 200 has already been sent, the stream ends with the same body as a frame, \`data: {"error":{…}}\`, and without
\`[DONE]\`: the official clients throw on that frame. On \`/v1/responses\` the frame is an \`error\` event, followed as in
the API by \`response.failed\`, the only one that Codex reads. The 200 is held back until the model begins to answer (its first
output item, shown or not), but no longer than until the first keep-alive, so most failures keep their status.

## What the proxy itself reports

${markdownTable(['Code', 'Status', 'Type', 'What to do'], rows)}

## What upstream reports

With an API key, errors are passed through unchanged. With a ChatGPT login, upstream's message, \`param\` and \`code\` are kept;
a web page or any other body becomes an error in the form above. These codes have a fixed status, even if they arrive inside an
answer that began with a 200:

${markdownTable(['Code', 'Status'], upstreamRows)}

If upstream says when to try again, so does a 429 or 503: with \`Retry-After\`, and for limits with
\`x-ratelimit-remaining-requests\` and \`x-ratelimit-reset-requests\`. Limits that retrying can't get past have
\`x-should-retry: false\`, which the official clients honour. When the usage limit of a plan is reached, the message says when
it resets, and \`type\`, \`plan_type\` and \`resets_at\` are those of upstream, which Codex recognises; clients would take
\`insufficient_quota\` for an unpaid bill. The \`misalignment\` object of a \`misalignment_policy_violation\` is kept: Codex
shows it, and may continue from it.

An unknown model is a 404 on Chat and a 400 with \`param: "model"\` on Responses, as in the API.

## What the proxy retries

A request that fails before the model begins to answer is retried at most twice, streamed or not. This covers broken
connections, 502 and 503, from the CDN also 520 to 523, 525 and 530, and, with a ChatGPT login, inside a 200: a broken
stream, overload, \`rate_limit_exceeded\`, \`server_error\` or a failure without a code. There is no retry if upstream asks to
wait more than 5 seconds or says \`x-should-retry: false\`. Nothing else is retried: nothing that a client may already have
acted on, no image, which would cost quota twice, and no search; with an API key also no PATCH and no POST to paths other
than \`/v1/chat/completions\` and \`/v1/responses\`, which might do something twice. Codex gets a 5xx inside a 200 at once, since
it retries those itself.
`
}
