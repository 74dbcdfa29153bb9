/** One mail as it lies in the outbox: rendered, to exactly one canonical address. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

export interface SendOptions {
  /** The same for every attempt at one mail, so that a duplicate can be told (RFC 5322 section 3.6.4). */
  readonly id: string
  readonly date: Date
  readonly signal: AbortSignal
}

/** What carries mail away. Rejects with the outbox's failures. */
export interface Mailer extends AsyncDisposable {
  send(mail: Mail, options: SendOptions): Promise<void>
}

/** Sends nothing: the dev inbox reads mail where the outbox keeps it. */
export function keepingMailer(): Mailer {
  return { send: async () => undefined, [Symbol.asyncDispose]: async () => undefined }
}
