import type { ServerResponse } from 'node:http'

/**
 * After the end of an answer: a client that leaves the rest of it unread is cut off. The timer is that of the socket,
 * for which a large write that makes progress is activity (`Socket.prototype._onTimeout` of Node).
 */
export function limitReading(response: ServerResponse, milliseconds: number): void {
  if (response.writableLength > 0) response.setTimeout(milliseconds, () => response.destroy())
}
