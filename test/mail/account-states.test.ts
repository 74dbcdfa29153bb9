import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { api, startApi, totp } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import type { Mail } from '../support/inbox.ts'
import { enableMfa, enter } from '../support/people.ts'
import type { TestServer } from '../support/server.ts'

const DAYS = 86_400_000

let server: TestServer
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

const load = (id: string) => server.context.database.em.fork().findOneOrFail(Account, { id })
const change = (id: string, to: Partial<Account>) =>
  server.context.database.em.fork().nativeUpdate(Account, { id }, to)
const inDays = (days: number) => new Date(Date.now() + days * DAYS)

/** What an account can be, and what is so about it. */
const STATES: Readonly<Record<string, Partial<Account> | undefined>> = {
  'nobody’s': undefined,
  active: {},
  'to be reset': { mustResetPassword: true },
  disabled: { status: 'disabled' },
  'to be deleted': { status: 'deleting', deleteAfter: inDays(9) },
  'to be deleted, reported since': {
    status: 'deleting',
    deleteAfter: inDays(9),
    mustResetPassword: true,
  },
  'to be erased now': { status: 'deleting', deleteAfter: inDays(-1) },
}

const DOORS: Readonly<Record<string, (email: string) => Promise<unknown>>> = {
  forgot: (email) => api(server, 'PATCH /forgot/password', { email }),
  'sign-up': (email) =>
    api(server, 'POST /sign-up/email', {
      name: 'Ada',
      email,
      password: 'ember quilt nine lantern',
    }),
  resend: (email) => api(server, 'POST /resend/verify/email', { email }),
  'sign-in': (email) => api(server, 'POST /sign-in/email', { email, password: PASSWORD }),
}

const CODE = /^\d{3} \d{3} is your .* code$/
const HAS_ONE = 'You already have a Gatehouse account'
const KEEP = 'Your Gatehouse account is about to be deleted'
const CLOSED = 'Your Gatehouse account is closed'

/** What each door mails to an address by the state of its account. */
const TABLE: Readonly<Record<string, Readonly<Record<string, string | RegExp | undefined>>>> = {
  'nobody’s': { forgot: undefined, 'sign-up': CODE, resend: undefined, 'sign-in': undefined },
  active: { forgot: CODE, 'sign-up': HAS_ONE, resend: undefined, 'sign-in': undefined },
  'to be reset': { forgot: CODE, 'sign-up': HAS_ONE, resend: undefined, 'sign-in': undefined },
  disabled: { forgot: CLOSED, 'sign-up': CLOSED, resend: undefined, 'sign-in': undefined },
  'to be deleted': { forgot: KEEP, 'sign-up': KEEP, resend: undefined, 'sign-in': KEEP },
  'to be deleted, reported since': {
    forgot: CLOSED,
    'sign-up': CLOSED,
    resend: undefined,
    'sign-in': undefined,
  },
  'to be erased now': {
    forgot: CLOSED,
    'sign-up': CLOSED,
    resend: undefined,
    'sign-in': undefined,
  },
}

let made = 0
async function addressOf(state: Partial<Account> | undefined): Promise<string> {
  made += 1
  if (!state) return `nobody.${made}@example.org`
  const { id, email } = await createAccount(server)
  await change(id, state)
  return email
}

async function mailsTo(email: string): Promise<Mail[]> {
  await server.context.worker.drain()
  return server.inbox.mails(email)
}

/** An account whose owner has deleted it, and whose first mail is lost. */
async function deleted({ hasMfa = false } = {}) {
  const account = await createAccount(server)
  const authenticator = hasMfa ? await enableMfa(server, account) : undefined
  await server.context.deletion.request(account.id, {
    ip: '192.0.2.1',
    userAgent: '',
    requestId: 'test',
  })
  await server.inbox.link(account.email, '/keep-account')
  return { ...account, authenticator }
}
const keepLinkIn = async (email: string) => server.inbox.link(email, '/keep-account')
async function keep(link: URL) {
  const browser = new Browser(server.origin)
  await browser.visit(link)
  if (browser.page.status === 200) await browser.submit('/keep-account')
  return browser
}

describe('EN-03 what is mailed is true of the account', () => {
  it.each(Object.keys(STATES))('of an account that is %s', async (name) => {
    for (const [door, ask] of Object.entries(DOORS)) {
      const email = await addressOf(STATES[name])
      await ask(email)
      const subjects = (await mailsTo(email)).map(({ subject }) => subject)
      const wanted = TABLE[name]?.[door]
      expect({ door, subjects }).toEqual({
        door,
        subjects:
          wanted === undefined
            ? []
            : [typeof wanted === 'string' ? wanted : expect.stringMatching(wanted)],
      })
    }
  })

  it('no mail offers to sign in or to set a password where that cannot be done', async () => {
    for (const [name, state] of Object.entries(STATES))
      for (const ask of [DOORS['forgot'], DOORS['sign-up']]) {
        const email = await addressOf(state)
        await ask?.(email)
        for (const { text } of await mailsTo(email)) {
          const offers = {
            signIn: /\/login/.test(text),
            reset: /\/(forgot|reset)-password/.test(text),
            keep: /\/keep-account/.test(text),
          }
          if (name === 'to be reset')
            expect({ name, signIn: offers.signIn, reset: offers.reset }).toEqual({
              name,
              signIn: false,
              reset: true,
            })
          if (name === 'to be deleted')
            expect({ name, ...offers }).toEqual({ name, signIn: false, reset: false, keep: true })
          if (['disabled', 'to be deleted, reported since'].includes(name))
            expect({ name, ...offers }).toEqual({ name, signIn: false, reset: false, keep: false })
        }
      }
  })
})

describe('the link that keeps an account', () => {
  it.each(['forgot', 'sign-up', 'sign-in'])(
    'comes by mail to who asks at %s, opens no session, and the person signs in as before',
    async (door) => {
      const account = await deleted()
      await DOORS[door]?.(account.email)
      const browser = await keep(await keepLinkIn(account.email))
      expect(browser.page.status).toBe(200)
      expect(await load(account.id)).toMatchObject({ status: 'active', deleteAfter: null })
      expect(await server.context.sessions.list(account.id)).toEqual([])
      expect((await browser.visit('/account')).h1).toBe('Sign in')
      expect(
        (await api(server, 'POST /sign-in/email', { email: account.email, password: PASSWORD }))
          .status,
      ).toBe(200)
    },
  )

  it('older ones stay good until one is used; then none is, nor after another deletion', async () => {
    const account = await deleted()
    await DOORS['forgot']?.(account.email)
    const first = await keepLinkIn(account.email)
    await DOORS['sign-up']?.(account.email)
    const second = await keepLinkIn(account.email)
    expect((await new Browser(server.origin).visit(second)).status).toBe(200)
    expect((await keep(first)).page.status).toBe(200)
    await server.context.deletion.request(account.id, {
      ip: '192.0.2.1',
      userAgent: '',
      requestId: 'test',
    })
    for (const link of [first, second]) expect((await keep(link)).page.status).toBe(400)
    expect((await load(account.id)).status).toBe('deleting')
  })

  it('lasts as long as the account, and looking at it changes nothing', async () => {
    const account = await deleted()
    await change(account.id, { deleteAfter: inDays(3) })
    await DOORS['forgot']?.(account.email)
    await new Browser(server.origin).visit(await keepLinkIn(account.email))
    expect((await load(account.id)).status).toBe('deleting')
    const { rows } = await server.context.database.pool.query<{ days: number }>(
      `select extract(epoch from max(expires_at) - now())::float / 86400 as days from verification_token where subject_id = $1 and created_at = (select max(created_at) from verification_token where subject_id = $1)`,
      [account.id],
    )
    expect(rows[0]?.days).toBeGreaterThan(2.9)
    expect(rows[0]?.days).toBeLessThanOrEqual(3)
  })

  it('after "this wasn’t me" neither old nor new links bring the account back; the operator does', async () => {
    const account = await deleted()
    await DOORS['forgot']?.(account.email)
    const link = await keepLinkIn(account.email)
    await change(account.id, { mustResetPassword: true })
    expect((await keep(link)).page.status).toBe(400)
    expect((await load(account.id)).status).toBe('deleting')
    await server.context.administration.keep(account.email)
    expect(await load(account.id)).toMatchObject({
      status: 'active',
      deleteAfter: null,
      mustResetPassword: true,
    })
    expect((await keep(link)).page.status).toBe(400)
  })
})

describe('a right password of an account that is to be deleted', () => {
  it('is answered like a wrong one at both doors: the link is in the mail only', async () => {
    const account = await deleted()
    const at = async (email: string, password: string) => {
      const { status, body } = await api(server, 'POST /sign-in/email', { email, password })
      return { status, ...body, request_id: '' }
    }
    expect(await at(account.email, PASSWORD)).toEqual(await at(account.email, 'wrong'))
    const pages: string[] = []
    for (const password of [PASSWORD, 'wrong']) {
      const browser = new Browser(server.origin)
      await browser.visit('/account')
      pages.push((await enter(browser, { ...account, password })).words)
    }
    expect(pages[0]).toBe(pages[1])
    expect((await mailsTo(account.email)).filter(({ subject }) => subject === KEEP)).toHaveLength(2)
  })

  it('is worth nothing alone where there is a second factor: the link goes out once that was shown', async () => {
    const account = await deleted({ hasMfa: true })
    const first = await api(server, 'POST /sign-in/email', {
      email: account.email,
      password: PASSWORD,
    })
    expect(first).toMatchObject({ status: 401, body: { error: 'mfa_required' } })
    const second = (code: string) =>
      api(server, 'POST /sign-in/email', { token: first.body.token, code })
    expect((await second('000000')).body.error).toBe('invalid_code')
    expect((await mailsTo(account.email)).filter(({ subject }) => subject === KEEP)).toEqual([])
    expect(await second(await totp(account.authenticator?.secret ?? ''))).toMatchObject({
      status: 401,
      body: { error: 'invalid_credentials' },
    })
    expect(await server.context.sessions.list(account.id)).toEqual([])
    expect((await keep(await keepLinkIn(account.email))).page.status).toBe(200)

    const other = await deleted({ hasMfa: true })
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    await enter(browser, other, { authenticator: other.authenticator })
    expect(browser.page.text).not.toContain('keep-account')
    expect((await browser.visit('/account')).h1).toBe('Sign in')
    expect(await keepLinkIn(other.email)).toBeDefined()
  })

  it('RL-01 counts as for an active account, and mails three times an hour at most', async () => {
    const account = await deleted()
    for (let index = 0; index < 6; index += 1)
      await api(server, 'POST /sign-in/email', { email: account.email, password: PASSWORD })
    expect((await mailsTo(account.email)).filter(({ subject }) => subject === KEEP)).toHaveLength(3)
    const tries = []
    for (let index = 0; index < 11; index += 1)
      tries.push(
        (await api(server, 'POST /sign-in/email', { email: account.email, password: 'wrong' }))
          .status,
      )
    expect(tries).toEqual([...Array.from({ length: 10 }, () => 401), 429])
  })
})
