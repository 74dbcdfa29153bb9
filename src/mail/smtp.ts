import { createTransport } from 'nodemailer'
import { StartupError } from '../errors.ts'
import { PermanentFailure } from '../outbox/index.ts'
import { isSingleAddress } from './address.ts'
import type { Mail, Mailer, SendOptions } from './mailer.ts'
import { smtpFailure } from './smtp-failure.ts'
import { parseSmtpUrl } from './smtp-url.ts'

export interface Sender {
  readonly name: string
  readonly address: string
}

const CONNECTIONS = 4
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]+/gu

/** Mail over SMTP. Connections are kept for half a minute; one that stalls is cut by the outbox's signal. */
export function smtpTransport(url: string, from: Sender): Mailer {
  if (!isSingleAddress(from.address))
    throw new StartupError('MAIL_FROM: must be one plain address such as no-reply@id.example.com')
  const { host, port, secure, requireTLS, isLocal, auth } = parseSmtpUrl(url)
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
  const transport = createTransport({
    pool: true,
    maxConnections: CONNECTIONS,
    // The outbox retries; the pool would send again what a server may have taken before it hung up.
    maxRequeues: 0,
    idleTimeout: 30_000,
    host,
    port,
    secure,
    requireTLS,
    // To ourselves a certificate proves nothing and a failed upgrade loses nothing.
    ...(isLocal && !secure && !requireTLS
      ? { opportunisticTLS: true, tls: { rejectUnauthorized: false } }
      : {}),
    ...(auth ? { auth } : {}),
    name: domain,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    dnsTimeout: 10_000,
    socketTimeout: 40_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  transport.on('error', () => undefined)

  return {
    async send(mail: Mail, { id, date, signal }: SendOptions): Promise<void> {
      if (!isSingleAddress(mail.to))
        throw new PermanentFailure('the recipient is not one plain address')
      try {
        await transport.sendMail({
          from: { name: oneLine(from.name), address: from.address },
          to: { name: '', address: mail.to },
          envelope: { from: from.address, to: [mail.to] },
          subject: oneLine(mail.subject),
          text: mail.text,
          html: mail.html,
          messageId: `<${id}@${domain}>`,
          date,
          // RFC 3834 section 5: nobody's holiday notice should answer.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal,
        })
      } catch (error) {
        throw smtpFailure(error)
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      transport.close({ force: true })
    },
  }
}

/** Header values carry no line break, whatever the template made of its model (EM-12). */
function oneLine(text: string): string {
  return text.replace(CONTROL, ' ').trim()
}
