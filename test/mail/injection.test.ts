import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { mailHandler } from '../../src/mail/handler.ts'
import type { Mail, Mailer } from '../../src/mail/mailer.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { PermanentFailure } from '../../src/outbox/index.ts'
import { type SmtpServer, startSmtpServer } from '../support/smtp-server.ts'

const MAIL: Mail = { to: 'ada@example.org', subject: 'Hello', text: 'text', html: '<p>html</p>' }
let smtp: SmtpServer
let mailer: Mailer

beforeAll(async () => {
  smtp = await startSmtpServer()
  mailer = smtpTransport(`smtp://127.0.0.1:${smtp.port}`, {
    name: 'Acme\r\nBcc: evil@example.net',
    address: 'no-reply@id.example.org',
  })
})
afterAll(async () => {
  await mailer[Symbol.asyncDispose]()
  await smtp[Symbol.asyncDispose]()
})
beforeEach(() => {
  smtp.mails.length = 0
  smtp.commands.length = 0
})

const send = (mail: Partial<Mail>) =>
  mailer.send(
    { ...MAIL, ...mail },
    { id: 'id', date: new Date(), signal: AbortSignal.timeout(5000) },
  )

describe('recipients', () => {
  it.each([
    'ada@example.org, eve@example.net',
    'ada@example.org; eve@example.net',
    'ada@example.org eve@example.net',
    'ada@example.org\r\nRCPT TO:<eve@example.net>',
    'ada@example.org\nBcc: eve@example.net',
    'ada@example.org\r',
    'ada@example.org>\r\nRCPT TO:<eve@example.net',
    'Ada <ada@example.org>',
    '<ada@example.org>',
    'ada@example.org>, <eve@example.net',
    '"ada@example.org"',
    '"eve@example.net x"@example.org',
    '"eve@example.net, "@example.org',
    'ada(eve@example.net)@example.org',
    'ada@example.org (eve@example.net)',
    'friends: ada@example.org, eve@example.net;',
    '@relay.example.net:ada@example.org',
    'ada@relay.example.net@example.org',
    'ada%example.org@relay.example.net@x.org',
    'ada@[127.0.0.1]',
    'ada@example',
    'ada@localhost',
    'ada@example..org',
    'ada@.example.org',
    'ada@example.org.',
    'ada@-example.org',
    'ada..b@example.org',
    '.ada@example.org',
    'ada.@example.org',
    'ada @example.org',
    ' ada@example.org',
    'ada@example.org ',
    'ada@exam\u0000ple.org',
    'ada\u0000@example.org',
    'ada@exämple.org',
    'аda@example.org',
    'ada＠example.org',
    'ada@example.org\u2028eve@example.net',
    'ada@example.org\u000beve@example.net',
    '=?utf-8?q?ada=40example.org?=',
    'ada\\@eve@example.org',
    `${'a'.repeat(65)}@example.org`,
    `ada@${'a'.repeat(64)}.org`,
    `ada@${'example.'.repeat(32)}org`,
    'ada',
    '@example.org',
    'ada@',
    '',
  ])('EM-12 refuses %j before a byte of it reaches the server', async (to) => {
    await expect(send({ to })).rejects.toBeInstanceOf(PermanentFailure)
    expect(smtp.mails).toEqual([])
    expect(smtp.commands.filter((line) => /^(MAIL|RCPT)/.test(line))).toEqual([])
  })

  it('EM-12 takes an array or an object for no address either', async () => {
    const deliver = mailHandler(mailer)
    const delivery = {
      id: 'id',
      topic: 'mail',
      attempt: 1,
      createdAt: new Date(),
      signal: AbortSignal.timeout(5000),
    } as const
    for (const to of [['ada@example.org', 'eve@example.net'], { address: 'ada@example.org' }, null])
      await expect(deliver({ ...MAIL, to }, delivery)).rejects.toBeInstanceOf(PermanentFailure)
    expect(smtp.mails).toEqual([])
  })

  it('EM-12 mails nobody but `to`, whatever else a later version has written', async () => {
    const delivery = {
      id: 'id',
      topic: 'mail',
      attempt: 1,
      createdAt: new Date(),
      signal: AbortSignal.timeout(5000),
    } as const
    await mailHandler(mailer)({ ...MAIL, bcc: 'eve@example.net', cc: 'eve@example.net' }, delivery)
    expect(smtp.mails.map(({ to }) => to)).toEqual([[MAIL.to]])
    expect(JSON.stringify(smtp.mails)).not.toContain('eve@')
  })

  it.each([
    'ada+tag@example.org',
    "o'neil@example.org",
    'a@b.co',
    `${'a'.repeat(64)}@example.org`,
    '-ada@example.org',
    'a!#$%&*/=?^_`{|}~b@example.org',
    'ada@xn--exmple-cua.org',
  ])('EM-12 sends to %s, to it alone', async (to) => {
    await send({ to })
    expect(smtp.commands.filter((line) => line.startsWith('RCPT'))).toEqual([`RCPT TO:<${to}>`])
    expect(smtp.mails.map((mail) => mail.to)).toEqual([[to]])
  })
})

describe('content', () => {
  const breaks = [
    '\r\n',
    '\n',
    '\r',
    '\u0000',
    '\u000b',
    '\u000c',
    '\u0085',
    '\u2028',
    '\u2029',
    '\r\n\r\n',
  ]

  it.each(breaks)(
    'EM-13 a subject with %j adds no header field and ends no header',
    async (lineBreak) => {
      await send({
        subject: `Hi${lineBreak}Bcc: eve@example.net${lineBreak}X-Canary: 1${lineBreak}${lineBreak}<p>body</p>`,
      })
      const [mail] = smtp.mails
      expect(mail?.to).toEqual([MAIL.to])
      const names = mail?.headers.map(({ name }) => name) ?? []
      expect(names.toSorted()).toEqual([
        'auto-submitted',
        'content-type',
        'date',
        'from',
        'message-id',
        'mime-version',
        'subject',
        'to',
      ])
      expect(mail?.subject).toMatch(/^Hi +Bcc: eve@example\.net +X-Canary: 1 +<p>body<\/p>$/)
    },
  )

  it('EM-13 a sender name with a line break adds no header field', async () => {
    await send({})
    expect(smtp.mails[0]?.headers.filter(({ name }) => name === 'bcc')).toEqual([])
    expect(smtp.mails[0]?.headers.find(({ name }) => name === 'from')?.value).toContain(
      '<no-reply@id.example.org>',
    )
  })

  it('EM-12 a body cannot end the mail and start another (SMTP smuggling)', async () => {
    const smuggled = ['\r\n.\r\n', '\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r']
      .map(
        (end) => `${end}MAIL FROM:<evil@example.net>\r\nRCPT TO:<eve@example.net>\r\nDATA\r\nboo`,
      )
      .join('')
    await send({ text: smuggled, html: smuggled })
    await send({})
    expect(smtp.mails.map(({ to }) => to)).toEqual([[MAIL.to], [MAIL.to]])
    expect(smtp.commands.filter((line) => line.includes('evil'))).toEqual([])
    expect(smtp.mails[0]?.raw).not.toMatch(/(?<!\r)\n|\r(?!\n)/)
    expect(smtp.mails[0]?.text).toContain('RCPT TO:<eve@example.net>')
  })

  it('carries any Unicode unharmed', async () => {
    const text = 'Größe 你好 🙂 مرحبا \u202eabc'
    await send({ subject: text.slice(0, 18), text, html: `<p>${text}</p>` })
    expect(smtp.mails[0]).toMatchObject({ subject: text.slice(0, 18).trim() })
    expect(smtp.mails[0]?.text.trim()).toBe(text)
  })
})
