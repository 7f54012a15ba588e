import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../test/support/loopback.ts'
import { type Running, startServer, works } from './processes.ts'

export const NGINX_INSTALLED = works('nginx', '-v')

/** nginx reads 4 KB at a time unless told otherwise; Node reads 64 KB. */
const LARGE_READS = 'proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;'

/** nginx as a plain reverse proxy before the fake upstream: it passes bytes through, one worker, unbuffered. */
export async function startNginx(upstreamPort: number, reads: 'default' | 'large'): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'codex-api-proxy-bench-nginx-'))
  // nginx can't be told to choose a port itself.
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  await writeFile(file, configuration(folder, port, upstreamPort, reads === 'large' ? LARGE_READS : ''))
  const server = await startServer(['nginx', '-p', folder, '-c', file], { core: 'measured', port })
  return {
    ...server,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function configuration(folder: string, port: number, upstreamPort: number, reads: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
    daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 8192; }
    http {
      access_log off; client_max_body_size 64m;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
      keepalive_requests 1000000000; keepalive_timeout 600;
      upstream bench {
        server 127.0.0.1:${upstreamPort}; keepalive 2048; keepalive_requests 1000000000; keepalive_timeout 600;
      }
      server {
        listen 127.0.0.1:${port} backlog=4096;
        proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_request_buffering off; ${reads}
        location /v1/ { proxy_pass http://bench/backend-api/codex/; }
      }
    }
  `
}
