import { Cancellation } from '../cancellation.ts'
import type { ChatPlan } from '../conversion/chat-plan.ts'
import type { ChatStream } from '../conversion/chat-stream.ts'
import { toApiError } from '../errors.ts'
import type { ApiRequest } from './api-request.ts'
import type { RouteContext } from './context.ts'
import { withEarlyRetries } from './early-retry.ts'

/** Whether something of every choice is visible: then upstream is not asked any more. */
export function allVisible({ choices }: Pick<ChatPlan, 'choices'>, machines: readonly ChatStream[]): boolean {
  return machines.length === choices && machines.every(({ visible }) => visible)
}

/**
 * Runs the choices of one answer side by side, each tried again while nothing of it is visible. When one fails the
 * others are ended: there is no answer without it.
 */
export async function runChoices<Value>(
  context: RouteContext,
  request: ApiRequest,
  { choices }: Pick<ChatPlan, 'choices'>,
  isVisible: (choice: number) => boolean,
  run: (choice: number, cancellation: Cancellation) => Promise<Value>,
): Promise<Value[]> {
  const attempt = (choice: number, cancellation: Cancellation) =>
    withEarlyRetries(
      context,
      request,
      () => isVisible(choice),
      () => run(choice, cancellation),
    )
  if (choices === 1) return [await attempt(0, request.cancellation)]
  const siblings = request.cancellation.add(new Cancellation())
  try {
    return await Promise.all(Array.from({ length: choices }, (_, choice) => attempt(choice, siblings)))
  } catch (error) {
    siblings.cancel(toApiError(error))
    throw error
  }
}
