import { rootCertificates, setDefaultCACertificates } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Mail, Mailer } from '../../src/mail/mailer.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { PermanentFailure, TemporaryFailure, Unreachable } from '../../src/outbox/index.ts'
import { LOOPBACK_CERTIFICATE } from '../support/loopback-certificate.ts'
import { type SmtpScript, type SmtpServer, startSmtpServer } from '../support/smtp-server.ts'

const FROM = { name: 'Acme', address: 'no-reply@id.example.org' }
const MAIL: Mail = {
  to: 'ada@example.org',
  subject: '123 456 is your Acme code',
  text: 'Größe: 123 456\n.\nend',
  html: '<p>Größe: <b>123 456</b></p>',
}
let smtp: SmtpServer
let mailer: Mailer

beforeEach(async () => {
  smtp = await startSmtpServer()
  use('')
})
afterEach(async () => {
  await mailer[Symbol.asyncDispose]()
  await smtp[Symbol.asyncDispose]()
})

function use(query: string, user = ''): void {
  mailer = smtpTransport(`smtp://${user}127.0.0.1:${smtp.port}${query}`, FROM)
}

function send(
  mail: Partial<Mail> = {},
  { id = 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6', signal = AbortSignal.timeout(10_000) } = {},
): Promise<void> {
  return mailer.send({ ...MAIL, ...mail }, { id, date: new Date('2026-11-23T22:00:00Z'), signal })
}

function failure(mail?: Partial<Mail>): Promise<Error> {
  return send(mail).then(
    () => new Error('it was sent'),
    (error: Error) => error,
  )
}

describe('a mail on the wire', () => {
  it('carries text and HTML, a stable Message-ID and Date, and asks for no automatic answer (RFC 3834)', async () => {
    await send()
    const [mail] = smtp.mails
    expect(mail).toMatchObject({
      from: FROM.address,
      to: [MAIL.to],
      subject: MAIL.subject,
      messageId: '<f81d4fae-7dec-41d0-a765-00a0c91e6bf6@id.example.org>',
    })
    expect(mail?.text.trim().replaceAll('\r\n', '\n')).toBe(MAIL.text)
    expect(mail?.html.trim()).toBe(MAIL.html)
    const header = (name: string) =>
      mail?.headers.filter((field) => field.name === name).map(({ value }) => value)
    expect(header('from')).toEqual(['Acme <no-reply@id.example.org>'])
    expect(header('to')).toEqual(['ada@example.org'])
    expect(header('date')).toEqual(['Mon, 23 Nov 2026 22:00:00 +0000'])
    expect(header('auto-submitted')).toEqual(['auto-generated'])
    expect(smtp.commands[0]).toBe('EHLO id.example.org')
  })

  it('reuses a connection for the next mail', async () => {
    for (let index = 0; index < 5; index += 1) await send()
    expect([smtp.mails.length, smtp.connections]).toEqual([5, 1])
  })

  it('reads no file and fetches no URL that a body names', async () => {
    await send({
      text: '{"path":"/etc/passwd"}',
      html: '<img src="file:///etc/passwd"><img src="http://127.0.0.1:1/x">',
    })
    expect(smtp.mails[0]?.raw).not.toContain('root:')
    expect(smtp.mails[0]?.headers.find(({ name }) => name === 'content-type')?.value).toMatch(
      /^multipart\/alternative/,
    )
    const object = { path: '/etc/passwd' } as unknown as string
    expect(await failure({ text: object })).toBeInstanceOf(Error)
    expect(smtp.mails).toHaveLength(1)
  })
})

describe('what the server says', () => {
  const cases: [string, Partial<SmtpScript>, new (message: string) => Error, string][] = [
    [
      '4xx to the recipient',
      { rcptTo: '450 4.2.1 <ada@example.org> try later' },
      TemporaryFailure,
      'smtp EENVELOPE 450 4.2.1 at RCPT TO',
    ],
    [
      '5xx to the recipient',
      { rcptTo: '550 5.1.1 <ada@example.org> no such user' },
      PermanentFailure,
      'smtp EENVELOPE 550 5.1.1 at RCPT TO',
    ],
    [
      '4xx to the content',
      { end: '451 4.7.1 greylisted 123 456' },
      TemporaryFailure,
      'smtp EMESSAGE 451 4.7.1 at DATA',
    ],
    [
      '5xx to the recipient without a detail',
      { rcptTo: '550 no such user' },
      PermanentFailure,
      'smtp EENVELOPE 550 at RCPT TO',
    ],
    [
      '5xx to our relaying',
      { rcptTo: '554 5.7.1 relay access denied' },
      TemporaryFailure,
      'smtp EENVELOPE 554 5.7.1 at RCPT TO',
    ],
    [
      '5xx to us after the content',
      { end: '554 5.7.0 blocked' },
      TemporaryFailure,
      'smtp EMESSAGE 554 5.7.0 at DATA',
    ],
    [
      '5xx without a detail after the content',
      { end: '554 no' },
      TemporaryFailure,
      'smtp EMESSAGE 554 at DATA',
    ],
    [
      '5xx to the content',
      { end: '554 5.6.0 your 123 456 is malformed' },
      PermanentFailure,
      'smtp EMESSAGE 554 5.6.0 at DATA',
    ],
    [
      '5xx to its size',
      { end: '552 5.3.4 too large' },
      PermanentFailure,
      'smtp EMESSAGE 552 5.3.4 at DATA',
    ],
    [
      '5xx to DATA',
      { data: '554 5.5.1 no valid recipients' },
      TemporaryFailure,
      'smtp EENVELOPE 554 5.5.1 at DATA',
    ],
    [
      '5xx to the sender',
      { mailFrom: '530 5.7.0 authenticate first' },
      Unreachable,
      'smtp EENVELOPE 530 5.7.0 at MAIL FROM',
    ],
    [
      '421 at any time',
      { rcptTo: '421 4.3.2 closing' },
      Unreachable,
      'smtp EENVELOPE 421 4.3.2 at RCPT TO',
    ],
    [
      '5xx as greeting',
      { greeting: '554 5.3.2 not today' },
      Unreachable,
      'smtp EPROTOCOL 554 5.3.2 at CONN',
    ],
    ['nothing and hangs up', { greeting: 'drop' }, Unreachable, 'smtp ECONNECTION'],
    [
      'nothing after the content and hangs up',
      { end: 'drop' },
      Unreachable,
      'smtp ECONNECTION at CONN',
    ],
  ]
  it.each(cases)(
    'F13 %s: sorted, and told without addresses or content (LG-02)',
    async (_, script, type, reason) => {
      Object.assign(smtp.script, script)
      const error = await failure()
      expect(error).toBeInstanceOf(type)
      expect(error.message).toBe(reason)
    },
  )

  it('F13 a refusal of us is believed after six hours, one for now never before the outbox gives up', async () => {
    smtp.script.end = '554 5.7.0 blocked'
    expect(await failure()).toMatchObject({ finalAtMs: 6 * 3_600_000 })
    smtp.script.end = '451 4.7.1 greylisted'
    expect(await failure()).toMatchObject({ finalAtMs: undefined })
  })

  it('F13 a wrong password for the mail server is the server, not the mail', async () => {
    smtp.script.auth = '535 5.7.8 who are you'
    await mailer[Symbol.asyncDispose]()
    use('', 'gate:s%40cret-canary@')
    const error = await failure()
    expect(error).toBeInstanceOf(Unreachable)
    expect(error.message).toBe('smtp EAUTH 535 5.7.8 at AUTH PLAIN')
    expect(smtp.commands).toContain(
      `AUTH PLAIN ${Buffer.from('\0gate\0s@cret-canary').toString('base64')}`,
    )
  })

  it('F13 nobody listens: unreachable, and the next mail finds the server again', async () => {
    const { port } = smtp
    await smtp[Symbol.asyncDispose]()
    const error = await failure()
    expect(error).toBeInstanceOf(Unreachable)
    smtp = await startSmtpServer({}, port)
    await send()
    expect(smtp.mails).toHaveLength(1)
  })

  it.each(['greeting', 'mailFrom', 'data', 'end'] as const)(
    'F13 a server that falls silent at %s is cut off by the signal',
    async (step) => {
      smtp.script[step] = 'hang'
      const began = performance.now()
      await expect(send({}, { signal: AbortSignal.timeout(300) })).rejects.toBeInstanceOf(
        Unreachable,
      )
      expect(performance.now() - began).toBeLessThan(5000)
      Object.assign(smtp.script, {
        greeting: '220 hi',
        mailFrom: '250 ok',
        data: '354 go',
        end: '250 ok',
      })
      await send()
    },
  )

  it('F13 a mail that was dropped after its last dot comes again under the same Message-ID', async () => {
    smtp.script.end = 'drop'
    await failure()
    smtp.script.end = '250 2.0.0 ok'
    await send()
    expect(smtp.mails.map(({ messageId }) => messageId)).toEqual(
      Array.from({ length: 2 }, () => '<f81d4fae-7dec-41d0-a765-00a0c91e6bf6@id.example.org>'),
    )
  })
})

describe('TLS', () => {
  const noMailWasTried = () =>
    expect(smtp.commands.filter((line) => line.startsWith('MAIL'))).toEqual([])

  it.each(['none', 'refuse'] as const)(
    'sends nothing in clear when STARTTLS is demanded and the server answers: %s',
    async (startTls) => {
      smtp.script.startTls = startTls
      use('?requireTLS=true')
      expect(await failure()).toBeInstanceOf(Unreachable)
      noMailWasTried()
    },
  )

  it('sends nothing to a demanded TLS server whose certificate is not trusted', async () => {
    smtp.script.startTls = 'accept'
    use('?requireTLS=true')
    expect(await failure()).toBeInstanceOf(Unreachable)
    noMailWasTried()
  })

  it('sends through STARTTLS when the certificate is trusted', async () => {
    setDefaultCACertificates([...rootCertificates, LOOPBACK_CERTIFICATE])
    try {
      smtp.script.startTls = 'accept'
      use('?requireTLS=true')
      await send()
      expect(smtp.commands.filter((line) => /^(EHLO|STARTTLS)/.test(line))).toHaveLength(3)
      expect(smtp.mails).toHaveLength(1)
    } finally {
      setDefaultCACertificates(rootCertificates)
    }
  })

  it.each(['none', 'refuse', 'accept'] as const)(
    'reaches a mail server on loopback whatever it makes of STARTTLS: %s',
    async (startTls) => {
      smtp.script.startTls = startTls
      await send()
      expect(smtp.mails).toHaveLength(1)
    },
  )
})
