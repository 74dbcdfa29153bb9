import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { CONNECTIONS } from '../config/limits.ts'
import type { Logger } from '../logger/logger.ts'
import { canonicalAddress } from './middleware/client-address.ts'

export type Handle = (req: IncomingMessage, res: ServerResponse) => void

/**
 * What Node's parser refuses before there is a request: status and sentence by its code; everything
 * else is 400.
 */
const REFUSALS: Readonly<Record<string, readonly [status: string, sentence: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    `The headers of this request are longer than ${CONNECTIONS.headerBytes / 1024} kB. If you see this in a browser, delete its cookies for this site and try again.`,
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['413 Payload Too Large', 'The request body is too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not arrive in time.'],
}
const OTHER = ['400 Bad Request', 'This is not a request that HTTP/1.1 allows.'] as const
/** How long the other side may take to read why it was refused. */
const LAST_WORDS_MS = 1000

/** Slow, silent and endless clients cost a socket for some seconds, not the server (F21). */
export function createHttpServer({ logger }: { readonly logger: Logger }, handle?: Handle): Server {
  const server = createServer({
    maxHeaderSize: CONNECTIONS.headerBytes,
    headersTimeout: CONNECTIONS.headersSeconds * 1000,
    requestTimeout: CONNECTIONS.requestSeconds * 1000,
    keepAliveTimeout: CONNECTIONS.idleSeconds * 1000,
    // Its default of half a minute would be added to all of these.
    connectionsCheckingInterval: 1000,
  })
  server.maxRequestsPerSocket = CONNECTIONS.requestsPerConnection
  // Who does not read the answer; between two requests the time above counts.
  server.timeout = CONNECTIONS.silentSeconds * 1000
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuse(logger, error, socket))
  if (handle) server.on('request', handle)
  return server
}

/** `_httpMessage` is where Node itself looks for an answer under way. */
type ClientSocket = Duplex & {
  readonly remoteAddress?: string
  readonly _httpMessage?: ServerResponse | null
}

function refuse(logger: Logger, { code = '' }: NodeJS.ErrnoException, socket: Duplex): void {
  // The parser goes on with what comes after; one refusal is enough.
  if (socket.writableEnded) return
  const { remoteAddress = '', _httpMessage: answer } = socket as ClientSocket
  if (code === 'ECONNRESET' || !socket.writable || answer?.headersSent) {
    socket.destroy()
    return
  }
  const [status, sentence] = REFUSALS[code] ?? OTHER
  logger.info(
    {
      event: 'request.refused',
      status: Number(status.slice(0, 3)),
      reason: code,
      ip: canonicalAddress(remoteAddress),
    },
    sentence,
  )
  const headers = [
    'Connection: close',
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Content-Type: text/plain; charset=utf-8',
  ]
  socket.end(
    `HTTP/1.1 ${status}\r\n${headers.join('\r\n')}\r\nContent-Length: ${sentence.length + 1}\r\n\r\n${sentence}\n`,
  )
  setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref()
}
