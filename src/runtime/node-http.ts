/**
 * Node's HTTP module, for everybody who needs values of it. An `import` of a built-in reads every name it exports,
 * since Node 22.5 `WebSocket` too, and that loads a second undici, Node's own: 20 ms of every start.
 */
export const { createServer, request, STATUS_CODES } = process.getBuiltinModule('node:http')
