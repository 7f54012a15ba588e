import type { ServerResponse } from 'node:http'

/**
 * Cuts off a client that reads nothing of what is written for that many milliseconds. The timer is the socket's own: it
 * counts progress of a large write as activity (`Socket.prototype._onTimeout` of Node), and Node destroys the socket
 * when it ends (https://nodejs.org/api/http.html#responsesettimeoutmsecs-callback).
 */
export function limitReading(response: ServerResponse, milliseconds: number): void {
  if (response.writableLength > 0) response.setTimeout(milliseconds)
}

/** The client has read everything, so the next silence is not its fault. */
export function endReadingLimit(response: ServerResponse): void {
  response.setTimeout(0)
}
