import { ChunkHead } from '../conversion/chat-chunk.ts'
import type { ChatPlan } from '../conversion/chat-plan.ts'
import { ChatStream, combinedUsageChunk } from '../conversion/chat-stream.ts'
import { tokenUsage } from '../conversion/usage.ts'
import { type ApiError, errorBody, toApiError } from '../errors.ts'
import { DONE_FRAME, dataFrame } from '../sse/frames.ts'
import type { UpstreamAnswer } from '../upstream/exchange.ts'
import type { ApiRequest } from './api-request.ts'
import { ChatFrames } from './chat-frames.ts'
import { allVisible, runChoices } from './choices.ts'
import { ClientStream } from './client-stream.ts'
import type { RouteContext } from './context.ts'
import { EventStream } from './event-stream.ts'
import type { MessageLog } from './message-log.ts'
import { headOf, type UpstreamCall } from './open-responses.ts'

/** One Chat answer on its way to the client, of one or more choices. */
export class StreamedChat {
  readonly #context: RouteContext
  readonly #request: ApiRequest
  readonly #plan: ChatPlan
  readonly #client: ClientStream
  readonly #log: MessageLog
  readonly #head: ChunkHead
  /** The machine of each choice; replaced when a choice is tried again. */
  readonly #choices: ChatStream[] = []

  constructor(context: RouteContext, request: ApiRequest, plan: ChatPlan, log: MessageLog) {
    this.#context = context
    this.#request = request
    this.#plan = plan
    this.#client = new ClientStream(request, context.config)
    this.#log = log
    this.#head = new ChunkHead(plan.model)
  }

  /** Resolves with the machine of each choice once the answer has ended. A failure before the 200 is thrown. */
  async run(call: UpstreamCall): Promise<readonly ChatStream[]> {
    try {
      await runChoices(this.#context, this.#request, this.#plan, {
        call,
        read: (choice, answer) => this.#readChoice(choice, answer, call),
        isVisible: (choice) => this.#choices[choice]?.visible === true,
      })
    } catch (error) {
      this.#fail(toApiError(error))
    }
    return this.#choices
  }

  async #readChoice(choice: number, answer: UpstreamAnswer, call: UpstreamCall): Promise<void> {
    const machine = new ChatStream(this.#plan, choice, this.#head, headOf(this.#context, answer))
    this.#choices[choice] = machine
    const frames = new ChatFrames(machine)
    const events = new EventStream(answer, this.#context.config.maxEvent, {
      frames,
      batchEnd: () => {
        if (allVisible(this.#plan, this.#choices)) call.release()
        this.#send(frames.drain(), machine)
        if (machine.ended) events.finish()
      },
    })
    try {
      await this.#client.follow(events)
    } catch (error) {
      // What came before the failure in the same read is the client's.
      this.#sendVisible(frames.drain())
      if (!machine.finished) throw error
    }
    if (machine.ended) return
    let rest = ''
    for (const chunk of machine.finish()) rest += dataFrame(chunk)
    this.#send(rest, machine)
  }

  #send(text: string, machine: ChatStream): void {
    this.#log.frames(text)
    if (machine.visible) this.#request.record.firstEventAt ??= this.#context.monotonic()
    if (this.#allEnded()) {
      this.#client.end(text + this.#closing())
      return
    }
    if (machine.visible) this.#client.open()
    this.#client.write(text)
  }

  #sendVisible(text: string): void {
    if (text === '') return
    this.#client.open()
    this.#client.write(text)
  }

  #allEnded(): boolean {
    return this.#choices.length === this.#plan.choices && this.#choices.every((machine) => machine.ended)
  }

  /** What follows the last chunk of the last choice. One choice brings its own usage chunk. */
  #closing(): string {
    const { record } = this.#request
    record.status = 200
    // Before the end is sent: the request's line is written as soon as the client has it all.
    record.usage = tokenUsage(this.#choices.map(({ usage }) => usage))
    const usage =
      this.#plan.choices > 1 && this.#plan.includeUsage ? dataFrame(combinedUsageChunk(this.#choices, this.#head)) : ''
    return usage + DONE_FRAME
  }

  /** After the 200 an error frame and no `[DONE]`: the official client throws on it, and takes a mere end for success. */
  #fail(error: ApiError): void {
    if (!this.#client.opened) {
      this.#client.discard()
      throw error
    }
    this.#request.record.status = error.status
    if (error.code !== null) this.#request.record.code = error.code
    this.#client.end(dataFrame(errorBody(error)))
  }
}
