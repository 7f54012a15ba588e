/**
 * Node's HTTP module, for everyone who needs values of it. An `import` of a built-in reads every name it exports, since
 * Node 22.5 also `WebSocket`, and that loads a second undici, Node's own: 20 ms of every start.
 */
export const { createServer, request, STATUS_CODES } = process.getBuiltinModule('node:http')
