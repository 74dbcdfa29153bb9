import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { AppError } from '../../src/errors.ts'
import { api, signedIn as byApi, startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { signedIn } from '../support/people.ts'
import type { TestServer } from '../support/server.ts'
import { addresses } from './attacks.ts'

const NEW = 'ember quilt nine lantern'
const elsewhere = addresses()

let server: TestServer
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

const load = (id: string) => server.context.database.em.fork().findOneOrFail(Account, { id })
const stranger = () => new Browser(server.origin, { headers: elsewhere() })

async function moveAddress(browser: Browser, to: string): Promise<void> {
  await browser.visit('/account/email')
  await browser.submit('/account/email', { email: to })
  const page = await browser.submit('/account/email/confirm', { code: await server.inbox.code(to) })
  if (page.status !== 200)
    throw new Error(`The address was not changed: ${page.status} ${page.words}`)
}

/** Opens a mailed link and confirms what its page asks. */
async function follow(link: URL, fields: Record<string, string> = {}) {
  const browser = stranger()
  const page = await browser.visit(link)
  return page.status === 200 ? browser.submit(link.pathname, fields) : page
}

describe('a thief who has moved the address twice', () => {
  it('EM-10 loses it for good: once the owner has undone the change, the links that the thief was mailed are dead', async () => {
    const { browser: thief, account } = await signedIn(server)
    const [first, second] = [
      `first.${account.id}@evil.example`,
      `second.${account.id}@evil.example`,
    ]
    await moveAddress(thief, first)
    const ofOwner = await server.inbox.link(account.email, '/undo-email')
    await signedIn(server, { account: { ...account, email: first } })
    const report = await server.inbox.link(first, '/report-compromise')
    await moveAddress(thief, second)
    const ofThief = await server.inbox.link(first, '/undo-email')
    for (const link of [ofThief, report]) expect((await stranger().visit(link)).status).toBe(200)

    expect((await follow(ofOwner)).h1).toBe('Your address is restored')
    for (const link of [ofThief, report])
      expect([link.pathname, (await follow(link)).status]).toEqual([link.pathname, 400])
    expect(await load(account.id)).toMatchObject({ email: account.email })
  })
})

describe('what is mailed stays good when we fail', () => {
  afterEach(async () => {
    await server.context.database.pool.query('drop function if exists refuse_event() cascade')
  })

  /** From now on the audit trail refuses events of this type, and with it whatever they tell of (LG-04). */
  async function refuse(type: string): Promise<void> {
    const { pool } = server.context.database
    await pool.query(
      `create function refuse_event() returns trigger language plpgsql as 'begin raise exception ''disk full''; end'`,
    )
    await pool.query(
      `create trigger refuse_event before insert on audit_event for each row when (new.type = '${type}') execute function refuse_event()`,
    )
  }
  const allow = () => server.context.database.pool.query('drop function refuse_event() cascade')

  const links: Readonly<Record<string, () => Promise<URL>>> = {
    email_change_undone: async () => {
      const { browser, account } = await signedIn(server)
      await moveAddress(browser, `moved.${account.id}@example.net`)
      return server.inbox.link(account.email, '/undo-email')
    },
    compromise_reported: async () => {
      const { account } = await signedIn(server)
      await signedIn(server, { account })
      return server.inbox.link(account.email, '/report-compromise')
    },
    deletion_cancelled: async () => {
      const { browser, account } = await signedIn(server, { path: '/account/delete' })
      await browser.submit('/account/delete', { confirmation: account.email })
      return server.inbox.link(account.email, '/keep-account')
    },
    password_reset: async () => {
      const { email } = await createAccount(server)
      await api(server, 'PATCH /forgot/password', { email })
      return server.inbox.link(email, '/reset-password')
    },
  }

  it.each(Object.entries(links))(
    'EM-03 a link whose change fails (%s) works with the next try, once',
    async (type, mail) => {
      const link = await mail()
      const fields = type === 'password_reset' ? { password: NEW } : {}
      await refuse(type)
      expect((await follow(link, fields)).status).toBe(500)
      await allow()
      expect((await follow(link, fields)).status).toBe(200)
      expect((await follow(link, fields)).status).toBe(400)
    },
  )

  /** While the queue of hashes is full. */
  async function whileBusy<T>(work: () => Promise<T>): Promise<T> {
    const { hasher } = server.context
    const hash = hasher.hash.bind(hasher)
    hasher.hash = async () => {
      throw new AppError('unavailable', { retryAfterSeconds: 2 })
    }
    try {
      return await work()
    } finally {
      hasher.hash = hash
    }
  }

  it('RL-07 a reset by code that finds the hash queue full leaves the code good', async () => {
    const { email } = await createAccount(server)
    const { tokenId } = (await api(server, 'PATCH /forgot/password', { email })).body
    const reset = { email, tokenId, password: NEW, code: await server.inbox.code(email) }
    expect((await whileBusy(() => api(server, 'PATCH /forgot/password', reset))).status).toBe(503)
    expect((await api(server, 'PATCH /forgot/password', reset)).status).toBe(200)
  })

  it('RL-07 a reset by link that finds the hash queue full leaves the link good', async () => {
    const link = await links['password_reset']?.()
    if (!link) throw new Error('no link')
    expect((await whileBusy(() => follow(link, { password: NEW }))).status).toBe(503)
    expect((await follow(link, { password: NEW })).status).toBe(200)
  })

  it('RL-07 a change of the password that finds the hash queue full leaves the code good', async () => {
    const { token, email, password: current } = await byApi(server)
    const { tokenId } = (
      await api(server, 'PATCH /edit/password', { current_password: current }, { token })
    ).body
    const change = { email, tokenId, password: NEW, code: await server.inbox.code(email) }
    expect(
      (await whileBusy(() => api(server, 'PATCH /edit/password', change, { token }))).status,
    ).toBe(503)
    expect((await api(server, 'PATCH /edit/password', change, { token })).status).toBe(200)
  })
})

describe('a 503 takes nothing with it', () => {
  const pool = () => server.context.database.pool
  const allow = () => pool().query('drop function if exists refuse_change() cascade')
  afterEach(async () => void (await allow()))

  /** From now on nothing is written to this table, as while somebody else holds its lock. */
  async function refuseChanges(table: string): Promise<void> {
    const raise = `begin raise exception 'locked' using errcode = '55P03'; end`
    await pool().query(
      `create function refuse_change() returns trigger language plpgsql as '${raise.replaceAll("'", "''")}'`,
    )
    await pool().query(
      `create trigger refuse_change before insert or update or delete on "${table}" execute function refuse_change()`,
    )
  }

  interface Answer {
    readonly status: number
    readonly headers: Headers
  }
  /** Prepares everything but the last request, which may be sent again and again. */
  type Flow = () => Promise<() => Promise<Answer>>

  const byLink =
    (link: URL, fields: Record<string, string> = {}): (() => Promise<Answer>) =>
    async () => {
      const browser = stranger()
      const page = await browser.visit(link)
      return page.status === 200
        ? (await browser.submit(link.pathname, fields)).response
        : page.response
    }

  const FLOWS: Readonly<Record<string, Flow>> = {
    'a sign-up by code': async () => {
      const email = `fault.${crypto.randomUUID()}@example.org`
      const { userId, tokenId } = (
        await api(server, 'POST /sign-up/email', { name: 'Ada', email, password: NEW })
      ).body
      const code = await server.inbox.code(email)
      return () => api(server, 'POST /verify/email', { userId, tokenId, email, code })
    },
    'a sign-up by link': async () => {
      const email = `fault.${crypto.randomUUID()}@example.org`
      await api(server, 'POST /sign-up/email', { name: 'Ada', email, password: NEW })
      return byLink(await server.inbox.link(email, '/verify-email'), { password: NEW })
    },
    'a reset by code': async () => {
      const { email } = await createAccount(server)
      const { tokenId } = (await api(server, 'PATCH /forgot/password', { email })).body
      const code = await server.inbox.code(email)
      return () => api(server, 'PATCH /forgot/password', { email, tokenId, password: NEW, code })
    },
    'a reset by link': async () => {
      const { email } = await createAccount(server)
      await api(server, 'PATCH /forgot/password', { email })
      return byLink(await server.inbox.link(email, '/reset-password'), { password: NEW })
    },
    'a new password': async () => {
      const { token, email, password: current } = await byApi(server)
      const { tokenId } = (
        await api(server, 'PATCH /edit/password', { current_password: current }, { token })
      ).body
      const code = await server.inbox.code(email)
      return () =>
        api(server, 'PATCH /edit/password', { email, tokenId, password: NEW, code }, { token })
    },
    'a new address by code': async () => {
      const { token, password } = await byApi(server)
      const email = `fault.${crypto.randomUUID()}@example.org`
      const { tokenId } = (await api(server, 'PATCH /edit/email', { email, password }, { token }))
        .body
      const code = await server.inbox.code(email)
      return () => api(server, 'PATCH /edit/email', { email, tokenId, code }, { token })
    },
    'a new address by link': async () => {
      const { token, password } = await byApi(server)
      const email = `fault.${crypto.randomUUID()}@example.org`
      await api(server, 'PATCH /edit/email', { email, password }, { token })
      return byLink(await server.inbox.link(email, '/change-email'))
    },
    'an address that comes back': async () => {
      const { browser, account } = await signedIn(server)
      await moveAddress(browser, `moved.${account.id}@example.net`)
      return byLink(await server.inbox.link(account.email, '/undo-email'))
    },
    'a report': async () => {
      const { account } = await signedIn(server)
      await signedIn(server, { account })
      return byLink(await server.inbox.link(account.email, '/report-compromise'))
    },
    'an account that is kept': async () => {
      const { token, email, password } = await byApi(server)
      await api(server, 'DELETE /user', { password }, { token })
      return byLink(await server.inbox.link(email, '/keep-account'))
    },
  }
  const TABLES = [
    'account',
    'attempt_counter',
    'audit_event',
    'mfa_challenge',
    'oidc_artifact',
    'outbox_message',
    'pending_sign_up',
    'session',
    'totp_credential',
    'verification_token',
  ]

  it.each(Object.keys(FLOWS))(
    'EM-03 whichever table refuses %s for a moment, the same request succeeds afterwards',
    async (name) => {
      const refused: string[] = []
      for (const table of TABLES) {
        const send = await FLOWS[name]?.()
        if (!send) throw new Error('no such flow')
        await refuseChanges(table)
        const first = await send()
        await allow()
        expect([table, [200, 503].includes(first.status)]).toEqual([table, true])
        if (first.status === 200) continue
        refused.push(table)
        expect([table, Number(first.headers.get('retry-after'))]).toEqual([
          table,
          expect.any(Number),
        ])
        expect(Number(first.headers.get('retry-after'))).toBeGreaterThan(0)
        expect([table, (await send()).status]).toEqual([table, 200])
        expect([table, (await send()).status]).toEqual([table, 400])
      }
      expect(refused).toEqual(
        expect.arrayContaining(['account', 'audit_event', 'verification_token']),
      )
    },
  )
})
