import type { ChatPlan } from '../conversion/chat-plan.ts'
import type { ChatStream } from '../conversion/chat-stream.ts'
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
  run: (choice: number, signal: AbortSignal) => Promise<Value>,
): Promise<Value[]> {
  const attempt = (choice: number, signal: AbortSignal) =>
    withEarlyRetries(
      context,
      request,
      () => isVisible(choice),
      () => run(choice, signal),
    )
  if (choices === 1) return [await attempt(0, request.signal)]
  const siblings = new AbortController()
  const signal = AbortSignal.any([request.signal, siblings.signal])
  try {
    return await Promise.all(Array.from({ length: choices }, (_, choice) => attempt(choice, signal)))
  } catch (error) {
    siblings.abort()
    throw error
  }
}
