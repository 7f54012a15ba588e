import { Cancellation } from '../../cancellation.ts'
import type { ChatStream } from '../../conversion/answer/chat-stream.ts'
import type { ChatPlan } from '../../conversion/chat-plan.ts'
import { toApiError } from '../../errors.ts'
import type { UpstreamAnswer } from '../../upstream/answer.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import { withEarlyRetries } from '../upstream-call/early-retry.ts'
import type { UpstreamCall } from '../upstream-call/upstream-call.ts'

/**
 * Whether part of every choice is visible: then upstream is not asked again. Uses a count, because `every` skips the
 * holes of choices that have no machine yet; and no `filter`, because an empty list has a different hidden class, which
 * makes V8 discard the code it has compiled for the others.
 */
export function allVisible({ choices }: Pick<ChatPlan, 'choices'>, machines: readonly ChatStream[]): boolean {
  return machines.reduce((count, { visible }) => count + Number(visible), 0) === choices
}

export function allEnded({ choices }: Pick<ChatPlan, 'choices'>, machines: readonly ChatStream[]): boolean {
  return machines.reduce((count, { ended }) => count + Number(ended), 0) === choices
}

type Choices = {
  readonly call: UpstreamCall
  readonly read: (choice: number, answer: UpstreamAnswer) => Promise<void>
  readonly isVisible: (choice: number) => boolean
}

/**
 * Runs the choices of one answer in parallel, each retried while nothing of it is visible. If one fails the others are
 * ended: there is no answer without it.
 */
export function runChoices(
  context: RouteContext,
  request: ApiRequest,
  { choices }: Pick<ChatPlan, 'choices'>,
  { call, read, isVisible }: Choices,
): Promise<void> {
  const run = (choice: number, cancellation: Cancellation) =>
    withEarlyRetries(context, request, {
      call,
      cancellation,
      read: (answer) => read(choice, answer),
      isVisible: () => isVisible(choice),
    })
  if (choices === 1) return run(0, request.cancellation)
  const siblings = request.cancellation.add(new Cancellation())
  return Promise.all(Array.from({ length: choices }, (_, choice) => run(choice, siblings))).then(
    () => {},
    (error: unknown) => {
      siblings.cancel(toApiError(error))
      throw error
    },
  )
}
