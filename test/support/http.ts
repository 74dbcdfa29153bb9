import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http'

export interface RequestOptions {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Uint8Array
  /** Connect here instead of to the URL's host: to speak as `https://issuer` to a server on loopback. */
  readonly connect?: { readonly host: string; readonly port: number }
}

/**
 * One request exactly as written (any Host, any header), on a connection of its own, no redirect
 * followed.
 */
export function send(
  url: URL | string,
  { method = 'GET', headers = {}, body, connect }: RequestOptions = {},
): Promise<Response> {
  const target = new URL(url)
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: connect?.host ?? target.hostname.replace(/^\[|\]$/g, ''),
        port: connect?.port ?? (target.port || 80),
        path: target.pathname + target.search,
        method,
        headers: { host: target.host, ...headers },
        agent: false,
      },
      (message) => {
        const chunks: Buffer[] = []
        message.on('data', (chunk: Buffer) => chunks.push(chunk))
        message.on('error', reject)
        message.on('end', () => {
          const status = message.statusCode ?? 0
          const answer = new Headers()
          for (const [name, values] of Object.entries(message.headersDistinct))
            for (const value of values ?? []) answer.append(name, value)
          const empty = status === 204 || status === 205 || status === 304 || status < 200
          resolve(new Response(empty ? null : Buffer.concat(chunks), { status, headers: answer }))
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}
