import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import { type Browser, chromium, type Page } from 'playwright-core'
import { listenOnLoopback } from '../support/loopback.ts'

const EXECUTABLE = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** A real browser in which every name under `.example` leads to this machine, and which asks nobody else anything. */
export async function openBrowser(...flags: readonly string[]): Promise<Browser> {
  if (!existsSync(EXECUTABLE)) {
    throw new Error(
      `There is no browser at ${EXECUTABLE}. Install one (sudo apt-get install chromium) or set CHROMIUM_PATH; ` +
        'without it nothing shows that web pages are kept out.',
    )
  }
  return await chromium.launch({
    executablePath: EXECUTABLE,
    // It makes a socket there, whose path must be short.
    env: { ...process.env, TMPDIR: '/tmp' },
    args: [
      ...flags,
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-proxy-server',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP *.example 127.0.0.1, EXCLUDE 127.0.0.1, EXCLUDE localhost, MAP * ~NOTFOUND',
    ],
  })
}

const SCRIPT = await readFile(new URL('page-script.js', import.meta.url), 'utf8')
const PAGE_HTML = `<!doctype html><title>A page</title><body></body><script>${SCRIPT}</script>`

export type PageServer = {
  readonly port: number
  close(): Promise<void>
}

/** The same page at every path, whatever name it is asked for under. */
export async function servePages(): Promise<PageServer> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').setHeader('connection', 'close').end(PAGE_HTML)
  })
  const port = await listenOnLoopback(server)
  return {
    port,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

type ReboundName = PageServer & {
  /** From now on the name leads to the proxy. */
  rebind(): void
}

/**
 * What an attacker's name server does: the name first leads to the attacker's page, then to the proxy. Here the address
 * stays and what is behind it changes, which a browser can't tell from a name that moved.
 */
export async function serveReboundName(proxyUrl: string): Promise<ReboundName> {
  const pages = await servePages()
  const proxy = new URL(proxyUrl)
  let behind = { host: '127.0.0.1', port: pages.port }
  const server = createTcpServer((socket) => {
    socket.on('error', () => {})
    // Not when it is opened: a browser opens some ahead, which would still lead to the page after the name has moved.
    socket.once('data', (bytes) => {
      const other = connect(behind)
      socket.on('close', () => other.destroy())
      other.on('error', () => socket.destroy()).on('close', () => socket.destroy())
      other.write(bytes)
      socket.pipe(other).pipe(socket)
    })
  })
  const port = await listenOnLoopback(server)
  return {
    port,
    rebind() {
      behind = { host: proxy.hostname, port: Number(proxy.port) }
    },
    async close() {
      server.close()
      await pages.close()
    },
  }
}

type Script = 'read' | 'submitForm' | 'openSocket' | 'load' | 'listen' | 'readFromFrame' | 'beacon'

/** Calls a function of `page-script.js` inside the page. */
export async function script(page: Page, name: Script, ...args: readonly unknown[]): Promise<unknown> {
  return await page.evaluate(`page.${name}(...${JSON.stringify(args)})`)
}
