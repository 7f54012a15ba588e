import type { ServerResponse } from 'node:http'

/**
 * A client that leaves what is written unread for so many milliseconds is cut off. The timer is that of the socket, for
 * which a large write that makes progress is activity (`Socket.prototype._onTimeout` of Node), and which Node destroys
 * when it ends (https://nodejs.org/api/http.html#responsesettimeoutmsecs-callback).
 */
export function limitReading(response: ServerResponse, milliseconds: number): void {
  if (response.writableLength > 0) response.setTimeout(milliseconds)
}

/** All of it is read; the next silence is not the client's. */
export function endReadingLimit(response: ServerResponse): void {
  response.setTimeout(0)
}
