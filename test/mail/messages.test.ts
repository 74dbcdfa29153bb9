import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Database, EntityManager } from '../../src/database/database.ts'
import { createLogger } from '../../src/logger/logger.ts'
import { MailCaps } from '../../src/mail/caps.ts'
import { LINK_PATHS, link } from '../../src/mail/links.ts'
import type { Mail } from '../../src/mail/mailer.ts'
import { Messages } from '../../src/mail/messages.ts'
import type { Envelope } from '../../src/mail/post.ts'
import { createViews } from '../../src/views/views.ts'
import { useDatabase } from '../support/database.ts'
import { outbox, Rig } from './outbox-rig.ts'

const at = useDatabase()
const rig = new Rig(() => at.url)
const ISSUER = 'https://id.example.org:8443'
const TOKEN = {
  code: '048213',
  linkSecret: 'q9-link_secret',
  get expiresAt() {
    return new Date(Date.now() + 600_000)
  },
}
const sender = new Messages({
  outbox,
  views: () => createViews({ brand: { name: 'Acme' }, issuer: ISSUER }),
  issuer: ISSUER,
  signIn: { methods: ['password'] },
  logger: createLogger('silent'),
  caps: new MailCaps({
    perHour: 10,
    perDay: 10,
    perHourTogether: 10,
    perDayTogether: 10,
    perHourOwn: 10,
  }),
})
let database: Database

beforeEach(async () => {
  database = await rig.database()
  await database.pool.query('delete from "outbox_message"')
  await database.pool.query('delete from "attempt_counter"')
})

/** Sends by one method and answers the mail as the outbox hands it out. */
async function mailOf(send: (em: EntityManager) => Promise<unknown>): Promise<Mail> {
  await database.em.fork().transactional(send)
  const mails: unknown[] = []
  await rig.worker(database, { mail: async (body) => void mails.push(body) }).drain()
  expect(mails).toHaveLength(1)
  return mails[0] as Mail
}

type Send = (em: EntityManager, to: Envelope) => Promise<unknown>
const withCode: [string, Send, string | undefined][] = [
  [
    'verify-email',
    (em, to) => sender.verifyEmail(em, { ...to, issued: TOKEN }),
    LINK_PATHS.verifyEmail,
  ],
  [
    'reset-password',
    (em, to) => sender.resetPassword(em, { ...to, issued: TOKEN }),
    LINK_PATHS.resetPassword,
  ],
  [
    'change-email',
    (em, to) => sender.changeEmail(em, { ...to, issued: TOKEN }),
    LINK_PATHS.changeEmail,
  ],
  [
    'change-password',
    (em, to) => sender.codeAlone(em, 'change-password', { ...to, issued: TOKEN }),
    undefined,
  ],
  [
    'prove-identity',
    (em, to) => sender.codeAlone(em, 'prove-identity', { ...to, issued: TOKEN }),
    undefined,
  ],
]
const withLink: [string, Send, string][] = [
  [
    'change-email-notice',
    (em, to) => sender.changeEmailNotice(em, { ...to, newEmail: 'new@example.org', undo: TOKEN }),
    LINK_PATHS.undoEmail,
  ],
  [
    'security-notice',
    (em, to) =>
      sender.securityNotice(em, { ...to, kind: 'mfa_disabled', at: new Date(), report: TOKEN }),
    LINK_PATHS.reportCompromise,
  ],
  [
    'account-deletion',
    (em, to) =>
      sender.accountDeletion(em, {
        ...to,
        deletesAt: new Date(Date.now() + 14 * 86_400_000),
        undo: TOKEN,
      }),
    LINK_PATHS.keepAccount,
  ],
  [
    'keep-account',
    (em, to) =>
      sender.keepAccount(em, {
        ...to,
        deletesAt: new Date(Date.now() + 9 * 86_400_000),
        keep: async () => TOKEN,
      }),
    LINK_PATHS.keepAccount,
  ],
]
const all: [string, Send][] = [
  ...withCode.map(([name, send]): [string, Send] => [name, send]),
  ...withLink.map(([name, send]): [string, Send] => [name, send]),
  [
    'already-registered',
    (em, to) => sender.verifyEmail(em, { ...to, issued: TOKEN, isRegistered: true }),
  ],
  [
    'account-closed',
    (em, to) =>
      sender.resetPassword(em, {
        ...to,
        issued: TOKEN,
        closed: async () => ({ isKeepable: false }),
      }),
  ],
  [
    'sign-in-elsewhere',
    (em, to) =>
      sender.resetPassword(em, {
        ...to,
        issued: TOKEN,
        closed: async () => ({ elsewhere: 'Acme' }),
      }),
  ],
]

describe('every mail', () => {
  const ada = {
    to: 'ada@example.org',
    name: 'Ada',
    locale: 'en',
    origin: {
      ip: '192.0.2.7',
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
    },
  }
  const urls = (text: string) => text.match(/https?:\/\/[^\s"'<>]+/g) ?? []

  it.each(all)('EM-05 %s links to the issuer and to nothing else', async (_, send) => {
    const { text, html } = await mailOf((em) => send(em, ada))
    for (const url of [...urls(text), ...urls(html)]) expect(new URL(url).origin).toBe(ISSUER)
  })

  it.each(all)('EM-12 %s goes to the one address it is for', async (_, send) => {
    expect((await mailOf((em) => send(em, ada))).to).toBe('ada@example.org')
  })

  it.each(all)(
    'EM-13 %s prints a hostile name without its markup, links and lines',
    async (_, send) => {
      const name = '<a href=//evil.example>Ada</a>\r\nVisit http://evil.example/x now'
      const { subject, text, html } = await mailOf((em) => send(em, { ...ada, name }))
      for (const part of [subject, text, html]) {
        expect(part).not.toContain('evil.example')
        expect(part).not.toContain('<a href=//')
      }
      expect(subject).not.toContain('Ada')
    },
  )

  it.each(all)('EM-14 %s has the same subject whoever gets it', async (_, send) => {
    const one = await mailOf((em) => send(em, ada))
    await database.pool.query('delete from "outbox_message"')
    const other = await mailOf((em) => send(em, { to: 'bob@example.net', name: 'Bob' }))
    expect(other.subject).toBe(one.subject)
  })

  it.each(all)(
    '%s speaks the language of its reader, and English to those of others',
    async (_, send) => {
      const subjects: string[] = []
      for (const locale of ['en', 'de-AT', 'ar', 'tlh', undefined]) {
        const mail = await mailOf((em) => send(em, { ...ada, locale }))
        subjects.push(mail.text)
        await database.pool.query('delete from "outbox_message"')
      }
      expect(subjects[3]).toBe(subjects[0])
      expect(subjects[4]).toBe(subjects[0])
      expect(new Set(subjects.slice(0, 3)).size).toBe(3)
    },
  )
})

describe('secrets in mail', () => {
  it.each(withCode)(
    '%s carries the code in subject and body (UX-26) and, if it has a link, its secret only there',
    async (_, send, path) => {
      const { subject, text, html } = await mailOf((em) => send(em, { to: 'ada@example.org' }))
      expect(subject).toMatch(/^048 ?213 /)
      expect(text).toMatch(/048 ?213/)
      expect(html).toMatch(/048 ?213/)
      const expected = path ? `${ISSUER}${path}?token=q9-link_secret` : undefined
      for (const part of [text, html])
        expect(part.includes('q9-link_secret')).toBe(expected !== undefined)
      if (expected) expect(text).toContain(expected)
    },
  )

  it.each(withLink)('%s carries its link', async (_, send, path) => {
    const { text, html } = await mailOf((em) => send(em, { to: 'ada@example.org' }))
    expect(text).toContain(`${ISSUER}${path}?token=q9-link_secret`)
    expect(html).toContain(`${ISSUER}${path}?token=q9-link_secret`)
  })
})

describe('link()', () => {
  it('EM-05 builds from the issuer, encodes what it carries, and never leaves it', () => {
    expect(link(ISSUER, '/login')).toBe('https://id.example.org:8443/login')
    expect(link(ISSUER, '/login', { token: 'a b&c=d#e\r\n' })).toBe(
      'https://id.example.org:8443/login?token=a+b%26c%3Dd%23e%0D%0A',
    )
    for (const path of [
      '//evil.example/x',
      'https://evil.example',
      '/\\evil.example',
      'javascript:alert(1)',
    ])
      expect(() => link(ISSUER, path)).toThrow('may not leave')
  })
})
