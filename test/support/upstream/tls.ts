import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { GuardedFetchOptions } from '../../../src/outgoing/guarded-fetch.ts'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../loopback-certificate.ts'

/** What a server of the product needs to speak to providers on loopback. */
export const TO_LOOPBACK: GuardedFetchOptions = {
  ca: LOOPBACK_CERTIFICATE,
  isAllowed: (address) => address === '127.0.0.1' || address === '::1',
}

export interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: URLSearchParams
}

export interface Answered {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON. */
  readonly body?: unknown
}

/** What a path answers, by its path. */
export type Routes = Readonly<Record<string, (asked: Asked) => Answered | Promise<Answered>>>

/** A server with a certificate of loopback; it can be slow, broken or away. */
export class TlsSite implements AsyncDisposable {
  /** Instead of what it answers otherwise, by path; `hang` answers never. */
  readonly moods = new Map<string, Answered | 'hang'>()
  readonly asked: Asked[] = []
  readonly #server
  #port = 0

  constructor(routes: Routes, certificate = { key: LOOPBACK_KEY, cert: LOOPBACK_CERTIFICATE }) {
    this.#server = createServer(certificate, (request, response) => {
      void this.#serve(routes, request, response)
    })
  }

  get origin(): string {
    return `https://localhost:${this.#port}`
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, 'localhost', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Nobody is at its address until it listens again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(routes: Routes, request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString('utf8')
    const url = new URL(request.url ?? '/', this.origin)
    const asked: Asked = {
      method: request.method ?? 'GET',
      url,
      headers: request.headers,
      body: new URLSearchParams(text),
    }
    this.asked.push(asked)
    const mood = this.moods.get(url.pathname)
    if (mood === 'hang') return
    const {
      status = 200,
      headers = {},
      body,
    } = mood ??
      (await routes[url.pathname]?.(asked)) ?? { status: 404, body: { message: 'Not Found' } }
    if (body === undefined || typeof body === 'string')
      response.writeHead(status, headers).end(body)
    else
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(body))
  }
}
