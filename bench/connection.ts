import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
}

export interface Sent {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
  readonly json?: object
}

/**
 * One keep-alive connection, one request at a time, with next to no cost of its own. Every request
 * comes from another network.
 */
export class Connection implements Disposable {
  readonly #socket: Socket
  readonly #host: string
  #received = ''
  #waiting: PromiseWithResolvers<Answer> | undefined

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await new Promise<void>((resolve, reject) =>
      socket.once('connect', resolve).once('error', reject),
    )
    return new Connection(socket, `localhost:${port}`)
  }

  private constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => this.#receive(chunk))
    for (const event of ['error', 'close'])
      socket.on(event, () => this.#waiting?.reject(new Error(`connection: ${event}`)))
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  send({ method = 'GET', path, headers = {}, form, json }: Sent): Promise<Answer> {
    const body = form ? new URLSearchParams(form).toString() : json ? JSON.stringify(json) : ''
    const type = form ? 'application/x-www-form-urlencoded' : 'application/json'
    let text = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nx-forwarded-for: ${nextAddress()}\r\n`
    for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`
    if (method === 'POST')
      text += `content-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
    this.#waiting = Promise.withResolvers()
    this.#socket.write(`${text}\r\n${body}`, 'utf8')
    return this.#waiting.promise
  }

  #receive(chunk: string): void {
    this.#received += chunk
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#received.slice(0, end)
    const status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
    if (length === undefined && status !== 304) {
      this.#waiting?.reject(new Error(`an answer without a length: ${head}`))
      return
    }
    const total = end + 4 + Number(length ?? 0)
    if (this.#received.length < total) return
    const body = this.#received.slice(end + 4, total)
    this.#received = this.#received.slice(total)
    this.#waiting?.resolve({ status, head, body })
  }
}

let sent = 0
/** The limits per network are not what is measured: 40,000 networks take turns. */
function nextAddress(): string {
  sent = (sent + 1) % 40_000
  return `10.${sent >> 8}.${sent & 255}.1`
}

export function headerOf({ head }: Answer, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}: ([^\\r]*)`, 'i').exec(head)?.[1]
}

export function cookiesOf({ head }: Answer): [string, string][] {
  return [...head.matchAll(/\r\nset-cookie: ([^=]+)=([^;\r]*)/gi)].map(
    ([, name = '', value = '']) => [name, value],
  )
}

/** The answer, if it has the status that is a success. */
export function expect(answer: Answer, status: number): Answer {
  if (answer.status !== status)
    throw new Error(`status ${answer.status} instead of ${status}: ${answer.body.slice(0, 300)}`)
  return answer
}
