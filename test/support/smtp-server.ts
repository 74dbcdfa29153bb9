import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSecureContext, TLSSocket } from 'node:tls'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from './loopback-certificate.ts'
import { parseMail, type ReceivedMail } from './mime.ts'

/** What the server says at a step: a reply line, `hang` for silence, `drop` for the end of the connection. */
export type Answer = string

/** How the server behaves from now on; tests change it while it runs. */
export interface SmtpScript {
  greeting: Answer
  /** `none` does not offer it, `refuse` offers it and says no. */
  startTls: 'none' | 'refuse' | 'accept'
  auth: Answer | undefined
  mailFrom: Answer
  rcptTo: Answer | ((address: string) => Answer)
  data: Answer
  /** After the final dot. Without a refusal the mail is kept, as by real servers that then hang up. */
  end: Answer
}

export interface SmtpServer extends AsyncDisposable {
  readonly port: number
  readonly script: SmtpScript
  /** Mails whose final dot has been received, oldest first. */
  readonly mails: ReceivedMail[]
  /** Command lines as received, arguments included, message content excluded. */
  readonly commands: string[]
  connections: number
  /** Resolves with the mails once there are at least so many. */
  received(count: number, withinMs?: number): Promise<ReceivedMail[]>
}

export const WILLING: Readonly<SmtpScript> = {
  greeting: '220 test ready',
  startTls: 'none',
  auth: undefined,
  mailFrom: '250 2.1.0 ok',
  rcptTo: '250 2.1.5 ok',
  data: '354 go on',
  end: '250 2.0.0 queued',
}

/** A real SMTP server (RFC 5321) on loopback that does what its script says. `port` 0 takes a free one. */
export async function startSmtpServer(
  script: Partial<SmtpScript> = {},
  port = 0,
): Promise<SmtpServer> {
  const sockets = new Set<Socket>()
  const server: Omit<SmtpServer, 'port' | typeof Symbol.asyncDispose> = {
    script: { ...WILLING, ...script },
    mails: [],
    commands: [],
    connections: 0,
    async received(count, withinMs = 10_000) {
      for (const until = Date.now() + withinMs; server.mails.length < count; await sleep(10))
        if (Date.now() > until)
          throw new Error(`${server.mails.length} of ${count} mails after ${withinMs} ms`)
      return server.mails
    },
  }
  const listener = createServer((socket) => {
    server.connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    new Conversation(socket, server).begin()
  })
  await new Promise<void>((resolve, reject) =>
    listener.once('error', reject).listen(port, '127.0.0.1', resolve),
  )
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return Object.assign(server, {
    port: address.port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => listener.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  })
}

class Conversation {
  #socket: Socket
  readonly #server: Pick<SmtpServer, 'script' | 'mails' | 'commands'>
  #buffer = ''
  #from = ''
  #to: string[] = []
  #isContent = false

  constructor(socket: Socket, server: Pick<SmtpServer, 'script' | 'mails' | 'commands'>) {
    this.#socket = socket
    this.#server = server
  }

  begin(): void {
    this.#listen()
    this.#say(this.#server.script.greeting)
  }

  #listen(): void {
    this.#socket.on('error', () => undefined)
    this.#socket.on('data', (chunk: Buffer) => {
      this.#buffer += chunk.toString('latin1')
      this.#read()
    })
  }

  #read(): void {
    for (;;) {
      const mark = this.#isContent ? '\r\n.\r\n' : '\r\n'
      const end = this.#buffer.indexOf(mark)
      if (end < 0) return
      const text = this.#buffer.slice(0, end)
      this.#buffer = this.#buffer.slice(end + mark.length)
      if (this.#isContent) this.#keep(text)
      else this.#obey(text)
    }
  }

  #keep(raw: string): void {
    this.#isContent = false
    const content = raw.replace(/^\.\./gm, '.')
    const { end } = this.#server.script
    if (!/^[45]/.test(end))
      this.#server.mails.push({
        from: this.#from,
        to: this.#to,
        ...parseMail(Buffer.from(content, 'latin1')),
      })
    this.#say(end)
  }

  #obey(line: string): void {
    const { script, commands } = this.#server
    commands.push(line)
    const verb = line.split(' ')[0]?.toUpperCase()
    const path = /<([^>]*)>/.exec(line)?.[1] ?? ''
    if (verb === 'EHLO') {
      const extensions = [
        '8BITMIME',
        ...(script.startTls === 'none' || this.#isSecure ? [] : ['STARTTLS']),
        ...(script.auth ? ['AUTH PLAIN'] : []),
      ]
      this.#write(
        ['test', ...extensions]
          .map((name, index, all) => `250${index === all.length - 1 ? ' ' : '-'}${name}\r\n`)
          .join(''),
      )
    } else if (verb === 'STARTTLS') this.#startTls()
    else if (verb === 'AUTH') this.#say(script.auth ?? '502 5.5.1 no')
    else if (verb === 'MAIL') {
      this.#from = path
      this.#to = []
      this.#say(script.mailFrom)
    } else if (verb === 'RCPT') {
      const answer = typeof script.rcptTo === 'function' ? script.rcptTo(path) : script.rcptTo
      if (answer.startsWith('2')) this.#to.push(path)
      this.#say(answer)
    } else if (verb === 'DATA') {
      this.#isContent = script.data.startsWith('3')
      this.#say(script.data)
    } else if (verb === 'QUIT') {
      this.#write('221 2.0.0 bye\r\n')
      this.#socket.end()
    } else this.#say(verb === 'RSET' || verb === 'NOOP' ? '250 2.0.0 ok' : '500 5.5.2 what?')
  }

  get #isSecure(): boolean {
    return this.#socket instanceof TLSSocket
  }

  #startTls(): void {
    if (this.#server.script.startTls === 'refuse') {
      this.#say('454 4.7.0 TLS not available')
      return
    }
    this.#write('220 2.0.0 go ahead\r\n')
    this.#socket.removeAllListeners('data')
    const secureContext = createSecureContext({ cert: LOOPBACK_CERTIFICATE, key: LOOPBACK_KEY })
    this.#socket = new TLSSocket(this.#socket, { isServer: true, secureContext })
    this.#listen()
  }

  #say(answer: Answer): void {
    if (answer === 'drop') this.#socket.destroy()
    else if (answer !== 'hang') this.#write(`${answer}\r\n`)
  }

  #write(text: string): void {
    if (this.#socket.writable) this.#socket.write(text)
  }
}
