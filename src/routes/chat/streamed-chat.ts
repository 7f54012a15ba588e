import { ChunkHead } from '../../conversion/answer/chat-chunk.ts'
import { ChatStream } from '../../conversion/answer/chat-stream.ts'
import { sumUsage, tokenUsage } from '../../conversion/answer/usage.ts'
import type { ChatPlan } from '../../conversion/chat-plan.ts'
import { type ApiError, errorBody, toApiError } from '../../errors.ts'
import { DONE_FRAME, dataFrame } from '../../sse/frames.ts'
import type { UpstreamAnswer } from '../../upstream/answer.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import type { MessageLog } from '../message-log.ts'
import { noteFailure } from '../request-notes.ts'
import { ClientStream } from '../streaming/client-stream.ts'
import { EventStream } from '../streaming/event-stream.ts'
import { headOf, type UpstreamCall } from '../upstream-call/upstream-call.ts'
import { ChatFrames } from './chat-frames.ts'
import { allEnded, allVisible, runChoices } from './choices.ts'

/** One Chat answer on its way to the client, with one or more choices. */
export class StreamedChat {
  readonly #context: RouteContext
  readonly #request: ApiRequest
  readonly #plan: ChatPlan
  readonly #client: ClientStream
  readonly #head: ChunkHead
  /** The machine of each choice; replaced when a choice is retried. */
  readonly #machines: ChatStream[]

  constructor(context: RouteContext, request: ApiRequest, plan: ChatPlan, log: MessageLog) {
    this.#context = context
    this.#request = request
    this.#plan = plan
    this.#client = new ClientStream(request, context.config, log.sent)
    this.#head = new ChunkHead(plan.model)
    this.#machines = new Array(plan.choices)
  }

  /** The existing machines: if the answer failed, not all choices have one. */
  get machines(): readonly ChatStream[] {
    return Object.values(this.#machines)
  }

  /** Resolves once the answer has ended. A failure before the 200 is thrown. */
  run(call: UpstreamCall): Promise<void> {
    return runChoices(this.#context, this.#request, this.#plan, {
      call,
      read: (choice, answer) => this.#readChoice(choice, answer, call),
      isVisible: (choice) => this.#machines[choice]?.visible === true,
    }).catch((error: unknown) => this.#fail(toApiError(error)))
  }

  #readChoice(choice: number, answer: UpstreamAnswer, call: UpstreamCall): Promise<void> {
    const machine = new ChatStream(this.#plan, choice, this.#head, headOf(this.#context, answer))
    this.#machines[choice] = machine
    const events = new EventStream(answer, this.#context.config.maxEvent, {
      frames: new ChatFrames(machine, this.#client.out),
      batchEnd: () => {
        if (allVisible(this.#plan, this.#machines)) call.release()
        this.#send(machine)
        if (machine.cutShort) events.abandon()
        else if (machine.ended) events.finish()
      },
    })
    return this.#client.follow(events).then(
      () => {
        if (!machine.ended) this.#finishChoice(machine)
      },
      (error: unknown) => {
        if (machine.finished) return this.#finishChoice(machine)
        // What arrived in the same read before the failure still goes to the client.
        this.#sendVisible()
        throw error
      },
    )
  }

  #finishChoice(machine: ChatStream): void {
    for (const chunk of machine.finish()) this.#client.out.text(dataFrame(chunk))
    this.#send(machine)
  }

  #send(machine: ChatStream): void {
    if (machine.visible) this.#noteFirstEvent()
    if (allEnded(this.#plan, this.#machines)) {
      this.#client.out.text(this.#closing())
      this.#client.end()
      return
    }
    if (machine.visible) this.#client.open()
    this.#client.flush()
  }

  #sendVisible(): void {
    if (this.#client.out.length === 0) return
    this.#noteFirstEvent()
    this.#client.open()
    this.#client.flush()
  }

  #noteFirstEvent(): void {
    this.#request.record.firstEventAt ??= this.#context.monotonic()
  }

  /** What follows the last chunk of the last choice. A single choice brings its own usage chunk. */
  #closing(): string {
    const { record } = this.#request
    record.status = 200
    // Noted before the end is sent, since the request's log line is written as soon as the client has it all.
    const usages = this.#machines.map(({ usage }) => usage)
    record.usage = tokenUsage(usages)
    record.servedModel = this.#head.model
    const isLeft = this.#plan.choices > 1 && this.#plan.includeUsage
    return (isLeft ? dataFrame(this.#head.usageChunk(sumUsage(usages))) : '') + DONE_FRAME
  }

  /**
   * After the 200: an error frame and no `[DONE]`. The official client throws on it, but takes a mere end for success.
   */
  #fail(error: ApiError): void {
    if (!this.#client.opened) {
      this.#client.cancel()
      throw error
    }
    noteFailure(this.#request, error)
    this.#client.out.text(dataFrame(errorBody(error)))
    this.#client.end()
  }
}
