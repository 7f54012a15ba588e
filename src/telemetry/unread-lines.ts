import type { DestinationStream } from 'pino'
import { droppedLine, lineCount } from './dropped-lines.ts'

/** Bytes; some 4,000 lines. */
const MOST_UNREAD = 1024 * 1024

/**
 * The log on a terminal or pipe that somebody may stop reading: a terminal held by Ctrl-S or behind a connection that
 * stalls, the pipe of a program that started the server and never looks. What is not read waits in memory, so beyond a
 * limit lines are dropped and counted, and the count is logged as soon as there is room.
 */
export function limitUnread(log: DestinationStream, unread: () => number): DestinationStream {
  let dropped = 0
  return {
    write(lines) {
      if (unread() > MOST_UNREAD) {
        dropped += lineCount(lines)
        return
      }
      log.write(dropped > 0 ? droppedLine(dropped) + lines : lines)
      dropped = 0
    },
  }
}
