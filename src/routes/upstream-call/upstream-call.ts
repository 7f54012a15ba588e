import type { Cancellation } from '../../cancellation.ts'
import { LIMIT_HEADER } from '../../conversion/failure/limit-headers.ts'
import type { AnswerHead, ErrorRoute } from '../../conversion/failure/upstream-error.ts'
import { bodyWithoutSummary, isSummaryRefusal } from '../../conversion/request/without-summary.ts'
import type { ChatGptCredentials } from '../../credentials/credentials.ts'
import { type ApiError, ProxyError } from '../../errors.ts'
import { shorten } from '../../foreign-text.ts'
import type { UpstreamAnswer } from '../../upstream/answer.ts'
import type { BodyMemory } from '../../upstream/body-memory.ts'
import { onlyNamed } from '../../upstream/forwarded-headers.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import { informClient, retryCounter } from '../request-notes.ts'
import { nameModels, refusalOf } from './refusal.ts'
import { noteUnsummarized } from './refused-summary.ts'

/** One form of the request: the requested one, or a fallback in case upstream refuses that. */
export type Variant = {
  /** As bytes, so that their source need not be kept. A fallback's body is only made when needed. */
  readonly body: () => readonly Buffer[]
  /** Headers that go with this form of the body. */
  readonly headers: Readonly<Record<string, string>>
  /** What to send after this refusal, if it can be sent in another form. */
  readonly fallback: ((refusal: ApiError) => Variant | undefined) | undefined
}

export type Call = {
  readonly route: ErrorRoute
  readonly credentials: ChatGptCredentials
  readonly model: string
  /** Whether the variants ask for a summary of the reasoning. */
  readonly asksForSummary: boolean
  /** The variant that the client asked for. */
  readonly wanted: Variant
  /** The memory behind the bodies of all variants. */
  readonly memory: BodyMemory
  readonly headers: Readonly<Record<string, string>>
}

/** The call to upstream: made once for each choice of the answer, and again while nothing of that choice is visible. */
export class UpstreamCall {
  readonly #context: RouteContext
  readonly #request: ApiRequest
  #call: Call | undefined

  constructor(context: RouteContext, request: ApiRequest, call: Call) {
    this.#context = context
    this.#request = request
    this.#call = call
  }

  /**
   * Resolves with a stream of events; any other answer is thrown as the error it stands for. `early` is the refusal that
   * the wanted variant got within such a stream: its fallback is sent, or the refusal thrown.
   */
  async open(cancellation: Cancellation, early?: ApiError): Promise<UpstreamAnswer> {
    const call = this.#call
    if (call === undefined) throw new Error('An answer that is visible must not be asked for again.')
    const wanted: Form = { variant: call.wanted, unsummarized: false }
    let form = early === undefined ? wanted : this.#fallbackForm(call, wanted, early)
    let refusal = early
    while (form !== undefined) {
      const answer = await this.#post(call, form, cancellation)
      informClient(this.#context, this.#request, answer)
      if (answer.status === 200) {
        refuseEncoded(answer)
        this.#context.catalogue.remember(call.model)
        if (form.unsummarized) noteUnsummarized(this.#request)
        return answer
      }
      refusal = await refusalOf(this.#context, call.route, answer)
      form = this.#fallbackForm(call, form, refusal)
    }
    if (refusal?.code !== 'model_not_found') throw refusal
    this.#context.catalogue.forget(call.model)
    await nameModels(this.#context, refusal, cancellation)
    throw refusal
  }

  /**
   * Releases the bodies once every choice is visible: nothing is retried after that, and the answer may take an hour.
   */
  release(): void {
    this.#call?.memory.free()
    this.#call = undefined
  }

  #post(call: Call, form: Form, cancellation: Cancellation): Promise<UpstreamAnswer> {
    const { variant } = form
    const body = variant.body()
    const request = {
      method: 'POST',
      path: '/responses',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...call.headers,
        ...variant.headers,
      },
      body: form.unsummarized ? bodyWithoutSummary(body) : body,
      memory: call.memory,
      compress: true,
      onRetry: retryCounter(this.#request),
    }
    return this.#context.upstream.send(request, call.credentials, cancellation)
  }

  /** What to send after this refusal of `form`, if anything. A refused summary is not requested again. */
  #fallbackForm({ model, asksForSummary }: Call, form: Form, refusal: ApiError): Form | undefined {
    if (asksForSummary && !form.unsummarized && isSummaryRefusal(refusal)) {
      this.#context.unsummarized.keep(model, true, 0)
      return { ...form, unsummarized: true }
    }
    const variant = form.variant.fallback?.(refusal)
    return variant && { ...form, variant }
  }
}

/**
 * What is sent: a variant, or the same without the summary it asks for, which nobody needs so much that the request
 * should fail.
 */
type Form = { readonly variant: Variant; readonly unsummarized: boolean }

/** Upstream was asked for an unencoded answer; an encoding was added on the way. */
function refuseEncoded({ headers, body }: UpstreamAnswer): void {
  const coding = headers['content-encoding'] ?? 'identity'
  if (coding === 'identity') return
  body.abort()
  const message = `The answer arrived compressed (${shorten(coding)}) although that was not requested: check for a gateway or outbound proxy that does it.`
  throw new ProxyError('upstream_invalid', message)
}

/**
 * The limits in the headers of an answer, often reported only there. Other headers are not kept while events arrive.
 */
export function headOf({ now }: Pick<RouteContext, 'now'>, { headers }: UpstreamAnswer): AnswerHead {
  return { headers: onlyNamed(headers, LIMIT_HEADER), now: now() }
}
