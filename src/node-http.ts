/**
 * Node's HTTP module, to be had from here. An import of it looks at every name it exports (the ES modules of built-ins
 * are made so), since Node 22.5 at `WebSocket` too, and that loads a second undici, Node's own: 20 ms of every start.
 */
export const { createServer, request, STATUS_CODES } = process.getBuiltinModule('node:http')
