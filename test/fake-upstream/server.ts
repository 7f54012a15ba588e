import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listenOnLoopback } from '../support/loopback.ts'
import type { Answer, Answerer } from './answer.ts'
import { API_HEADERS, apiAnswer, keyRefusal } from './api-side.ts'
import { CHATGPT_HEADERS, CHATGPT_PATH, chatgptRefusal, modelsAnswer } from './chatgpt-side.ts'
import { defaultAnswer } from './default-answers.ts'
import { MODELS, type ModelEntry } from './models.ts'
import { otherAnswer } from './other-answers.ts'
import { type RecordedRequest, recordRequest } from './recorded-request.ts'
import { replay } from './replay.ts'

export type FakeUpstreamOptions = {
  readonly models?: readonly ModelEntry[]
  /** Which access tokens the ChatGPT side takes; all when absent. */
  readonly acceptToken?: (token: string) => boolean
}

/** Both upstreams on one loopback port. */
export type FakeUpstream = {
  readonly origin: string
  readonly chatgptBaseUrl: string
  readonly openaiBaseUrl: string
  /** Everything that arrived, in order. */
  readonly requests: readonly RecordedRequest[]
  /** What arrived besides look-ups of the ChatGPT catalogue. */
  calls(): RecordedRequest[]
  /** The next call that is not refused gets this answer; several queue up. */
  enqueue(...answers: Answerer[]): void
  /** For calls without an answer of their own. */
  setDefault(answer: Answerer): void
  /** For `GET /models` of the ChatGPT side; undefined: the catalogue again. */
  setModelsAnswer(answer: Answerer | undefined): void
  /** The n-th call (from 1), as soon as it has arrived whole. */
  waitForCall(n?: number): Promise<RecordedRequest>
  /** The first look-up of the ChatGPT catalogue: a proxy with a good login makes it soon after its start. */
  waitForLookUp(): Promise<RecordedRequest>
  close(): Promise<void>
}

export async function startFakeUpstream(options: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  const rules = {
    models: options.models ?? MODELS,
    acceptToken: options.acceptToken ?? (() => true),
  }
  const requests: RecordedRequest[] = []
  const queue: Answerer[] = []
  const faults: unknown[] = []
  const arrivals: (() => void)[] = []
  let standard: Answerer | undefined
  let models: Answerer | undefined

  const calls = () => requests.filter((request) => !isCatalogueLookUp(request))

  async function arrival(find: () => RecordedRequest | undefined): Promise<RecordedRequest> {
    for (;;) {
      const request = find()
      if (request !== undefined) return request
      await new Promise<void>((resolve) => arrivals.push(resolve))
    }
  }

  async function nextAnswer(request: RecordedRequest): Promise<Answer> {
    const given = queue.shift() ?? standard
    if (given !== undefined) return await resolveAnswer(given, request)
    if (request.side === 'openai') return apiAnswer(request)
    const [route] = request.path.split('?')
    return route === `${CHATGPT_PATH}/responses` ? defaultAnswer(request) : otherAnswer(request)
  }

  async function answerFor(request: RecordedRequest): Promise<Answer> {
    if (isCatalogueLookUp(request)) {
      return models === undefined ? modelsAnswer(request, rules) : await resolveAnswer(models, request)
    }
    const refusal = request.side === 'openai' ? keyRefusal(request) : chatgptRefusal(request, rules)
    return refusal ?? (await nextAnswer(request))
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const side = incoming.url?.startsWith('/v1/') === true ? 'openai' : 'chatgpt'
    const request = await recordRequest(side, incoming, response)
    if (request === undefined) return
    requests.push(request)
    for (const arrived of arrivals.splice(0)) arrived()
    await replay(await answerFor(request), side, response, side === 'openai' ? API_HEADERS : CHATGPT_HEADERS)
  }

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((fault: unknown) => {
      // A mistake of the test itself: the client sees a broken connection, `close` tells what it was.
      faults.push(fault)
      response.destroy()
    })
  })
  const origin = `http://127.0.0.1:${await listenOnLoopback(server)}`

  return {
    origin,
    chatgptBaseUrl: `${origin}${CHATGPT_PATH}`,
    openaiBaseUrl: `${origin}/v1`,
    requests,
    calls,
    enqueue: (...answers) => void queue.push(...answers),
    setDefault(answer) {
      standard = answer
    },
    setModelsAnswer(answer) {
      models = answer
    },
    waitForCall: (n = 1) => arrival(() => calls()[n - 1]),
    waitForLookUp: () => arrival(() => requests.find(isCatalogueLookUp)),
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      if (faults.length > 0) throw new AggregateError(faults, `The fake upstream failed: ${String(faults[0])}`)
    },
  }
}

async function resolveAnswer(answer: Answerer, request: RecordedRequest): Promise<Answer> {
  return typeof answer === 'function' ? await answer(request) : answer
}

function isCatalogueLookUp({ side, method, path }: RecordedRequest): boolean {
  const [route] = path.split('?')
  return side === 'chatgpt' && method === 'GET' && route === `${CHATGPT_PATH}/models`
}
