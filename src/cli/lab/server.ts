import { createReadStream } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { Site } from './site.ts'

export interface LabServer {
  /** Where the page is, with its token: only who has it is served. */
  readonly url: string
  close(): Promise<void>
}

/** Only this machine reaches the server. */
const host = '127.0.0.1'

/** What a page may do: load its own parts and nothing else, be framed by nobody. */
const headers: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; " +
    "img-src 'self' data: blob:; connect-src 'self' data: blob:; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
}

/**
 * Serves a site on 127.0.0.1 below a path that nobody can guess. Paths are looked up among those of the site and never
 * on the disk, and whoever asks under another name than this machine's own is refused: a page elsewhere that makes a
 * name point here (DNS rebinding), or that sends the browser here, learns nothing.
 *
 * @param token the first part of every path
 * @param port 0 for any that is free
 */
export async function serveLab(site: Site, token: string, port: number): Promise<LabServer> {
  const server = createServer((request, response) => {
    answer(request, response, site, token, portOf(server)).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    url: `http://${host}:${portOf(server)}/${token}/`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  site: Site,
  token: string,
  port: number,
): Promise<void> {
  const refuse = (status: number, why: string) => {
    response.writeHead(status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8' }).end(`${why}\n`)
  }
  if (!isOwn(request, port)) return refuse(403, 'halfdice lab answers its own page only')
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, 'halfdice lab is for reading only')
  const [path] = (request.url ?? '').split('?')
  const start = `/${token}/`
  if (!path.startsWith(start)) return refuse(404, 'nothing here; use the address that halfdice lab printed')
  const page = site.get(path.slice(start.length))
  if (page === undefined) return refuse(404, 'nothing here')
  const { type, bytes } = page
  if (bytes !== undefined) {
    response.writeHead(200, { ...headers, 'Content-Type': type, 'Content-Length': bytes.length })
    response.end(request.method === 'HEAD' ? undefined : bytes)
    return
  }
  response.writeHead(200, { ...headers, 'Content-Type': type })
  if (request.method === 'HEAD') response.end()
  else await pipeline(createReadStream(page.path), response)
}

/** Whether a request names this server as its host and, where a page sent it, as that page's origin. */
function isOwn({ headers: { host: asked, origin, 'sec-fetch-site': from } }: IncomingMessage, port: number): boolean {
  const own = [`${host}:${port}`, `localhost:${port}`]
  if (asked === undefined || !own.includes(asked)) return false
  if (origin !== undefined && origin !== `http://${asked}`) return false
  return from === undefined || from === 'none' || from === 'same-origin'
}
