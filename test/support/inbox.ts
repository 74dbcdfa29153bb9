import { setTimeout as sleep } from 'node:timers/promises'
import { send } from './http.ts'

export interface Mail {
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly createdAt: string
}

const PATIENCE_MS = 30_000

/** What a person finds in the mail program: reads the dev inbox of a server. */
export class Inbox {
  readonly #server: {
    readonly address: { readonly host: string; readonly port: number }
    readonly origin: string
  }
  readonly #read = new Set<string>()

  constructor(server: {
    readonly address: { readonly host: string; readonly port: number }
    readonly origin: string
  }) {
    this.#server = server
  }

  /** All mail, or that to one address, newest first. */
  async mails(address?: string): Promise<Mail[]> {
    const { origin, address: connect } = this.#server
    const response = await send(`${origin}/dev/inbox`, {
      headers: { accept: 'application/json' },
      connect,
    })
    if (response.status !== 200) throw new Error(`The dev inbox answered ${response.status}`)
    const mails = (await response.json()) as Mail[]
    return address === undefined ? mails : mails.filter((mail) => mail.to === address)
  }

  /**
   * Waits for mail to this address that was not handed out before: the newest of it, older ones
   * count as read too.
   */
  async next(address: string): Promise<Mail> {
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(25)) {
      const unread = (await this.mails(address)).filter((mail) => !this.#read.has(mail.id))
      for (const mail of unread) this.#read.add(mail.id)
      if (unread[0]) return unread[0]
    }
    throw new Error(`No new mail to ${address} within ${PATIENCE_MS / 1000} s`)
  }

  /**
   * Waits for a mail to this address that is like this, handed out before or not: for who gets
   * several at once.
   */
  async find(address: string, isLike: (mail: Mail) => boolean): Promise<Mail> {
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(25)) {
      const found = (await this.mails(address)).find(isLike)
      if (found) return found
    }
    throw new Error(`No such mail to ${address} within ${PATIENCE_MS / 1000} s`)
  }

  /** The six digits of the next mail. */
  async code(address: string): Promise<string> {
    return codeIn(await this.next(address))
  }

  /** The first link of the next mail that leads to this path. */
  async link(address: string, path = '/'): Promise<URL> {
    return linkIn(await this.next(address), path)
  }
}

export function codeIn({ text, subject }: Mail): string {
  const [code] = /(?<!\d)\d{6}(?!\d)/.exec(text.replace(/(?<=\d{3}) (?=\d{3})/g, '')) ?? []
  if (!code) throw new Error(`No code in the mail "${subject}":\n${text}`)
  return code
}

export function linkIn({ text, subject }: Mail, path = '/'): URL {
  const link = (text.match(/https?:\/\/[^\s<>"]+/g) ?? [])
    .map((found) => new URL(found))
    .find((url) => url.pathname.startsWith(path))
  if (!link) throw new Error(`No link to ${path} in the mail "${subject}":\n${text}`)
  return link
}
