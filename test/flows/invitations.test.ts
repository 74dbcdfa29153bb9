import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { CanonicalEmail } from '../../src/accounts/canonical-email.ts'
import { isUnavailable } from '../../src/database/database.ts'
import { Account, PendingSignUp } from '../../src/entities/index.ts'
import { startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { createAccount, createClient, PASSWORD } from '../support/factories.ts'
import { csrfOf } from '../support/forms.ts'
import { INVITE_ONLY, openInvitation, pathOf, usesOf } from '../support/invitations.ts'
import type { TestServer } from '../support/server.ts'

let database: TestDatabase
let server: TestServer
/** Another instance. */
let other: TestServer
const registration = INVITE_ONLY

beforeAll(async () => {
  database = await createDatabase()
  server = await startApi({ database, config: { registration } })
  other = await startApi({ database, config: { registration } })
})
afterAll(async () => {
  await server.stop()
  await other.stop()
  await database.drop()
})

let made = 0
const someone = () => `grace.${++made}@example.org` as CanonicalEmail
type Wanted = Parameters<TestServer['context']['invitations']['create']>[0]
const invite = (wanted: Omit<Wanted, 'seconds'>) =>
  server.context.invitations.create({ ...wanted, seconds: 3600 })
const mailed = (email: CanonicalEmail) => invite({ email, isMailed: true })
const path = (link: URL | string | undefined) => pathOf(server, link)
const opened = (link: URL | string | undefined) => openInvitation(server, link)
const wanted = (email: string) => ({ name: 'Grace Hopper', email, password: PASSWORD })
const find = (email: string) => server.context.database.em.fork().findOne(Account, { email })

describe('an invitation by mail', () => {
  it('leads to the sign-up page with its address, which needs no code, and is good once', async () => {
    const email = someone()
    const { id, link: shown } = await mailed(email)
    expect(shown).toBeUndefined()
    const link = await server.inbox.link(email, '/invitation')
    const browser = await opened(link)
    expect(browser.page.text).toContain(`value="${email}"`)
    const page = await browser.submit('/sign-up', { name: 'Grace', password: PASSWORD })
    expect([page.status, page.url.pathname]).toEqual([200, '/account'])
    expect(await find(email)).toMatchObject({ isInvited: true })
    expect(await usesOf(server, id)).toBe(1)
    const again = await new Browser(server.origin).visit(path(link))
    expect([again.status, again.words.includes('Ask the person who invited you')]).toEqual([
      400,
      true,
    ])
  })

  it('signs up with a passkey, too, which is made before anybody is signed in', async () => {
    const email = someone()
    await mailed(email)
    const browser = await opened(await server.inbox.link(email, '/invitation'))
    const page = await browser.submit('/sign-up', { name: 'Grace' }, { button: 'yes' })
    expect(page.url.pathname).toMatch(/\/passkey-offer$/)
    const account = await find(email)
    expect(account).toMatchObject({ isInvited: true })
    expect(await server.context.sessions.list(account?.id ?? '')).toEqual([])
  })

  it('EM-04 is spent by no GET, and by no button that is pressed without the form', async () => {
    const email = someone()
    const { id } = await mailed(email)
    const link = await server.inbox.link(email, '/invitation')
    for (let index = 0; index < 3; index += 1)
      expect((await new Browser(server.origin).visit(path(link))).status).toBe(200)
    const forged = await new Browser(server.origin).post('/invitation', {
      token: link.searchParams.get('token') ?? '',
    })
    expect(forged.status).toBe(403)
    expect(await usesOf(server, id)).toBe(0)
  })

  it('is for its own address only', async () => {
    const email = someone()
    const { id } = await mailed(email)
    const browser = await opened(await server.inbox.link(email, '/invitation'))
    const { action, fields } = browser.page.form('/sign-up')
    const token = csrfOf({ fields })
    const thief = someone()
    const page = await browser.post(action, { _csrf: token, ...wanted(thief) })
    expect([page.status, page.words.includes('for another address')]).toEqual([400, true])
    expect([await find(thief), await usesOf(server, id)]).toEqual([null, 0])
  })

  it('sends who has an account to the sign-in', async () => {
    const { email } = await createAccount(server, { email: someone() })
    await mailed(email as CanonicalEmail)
    const browser = await opened(await server.inbox.link(email, '/invitation'))
    expect(browser.page.words).toContain('You already have an account')
    await browser.follow('/login')
    expect(browser.page.step).toBe('login')
  })

  it('makes no account of an address once it is taken back, though its page is open', async () => {
    const email = someone()
    const { id } = await mailed(email)
    const browser = await opened(await server.inbox.link(email, '/invitation'))
    await server.context.invitations.revoke(id)
    const page = await browser.submit('/sign-up', { name: 'Grace', password: PASSWORD })
    expect(page.status).toBe(403)
    expect(await find(email)).toBeNull()
    await expect(server.context.invitations.revoke(id)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('proves nothing where everybody may register and it was taken back', async () => {
    const open = await startApi({ database })
    try {
      const email = someone()
      const { id } = await mailed(email)
      const invitation = await open.context.invitations.find({ id })
      await server.context.invitations.revoke(id)
      const making = open.context.signUpProof.byInvitation(
        wanted(email),
        invitation ?? { id, email, isMailed: true },
      )
      await expect(making).rejects.toMatchObject({ code: 'invalid_invitation' })
      const em = open.context.database.em.fork()
      expect([await find(email), await em.count(PendingSignUp, { email })]).toEqual([null, 0])
    } finally {
      await open.stop()
    }
  })
})

describe('a printed invitation', () => {
  it('lets in, and a mailed code proves the address', async () => {
    const email = someone()
    const { id, link } = await invite({ isMailed: false, maxUses: 2 })
    const browser = await opened(link)
    await browser.submit('/sign-up', wanted(email))
    expect(await find(email)).toBeNull()
    const page = await browser.submit('/verify-email', { code: await server.inbox.code(email) })
    expect(page.url.pathname).toBe('/account')
    expect(await find(email)).toMatchObject({ isInvited: true })
    expect(await usesOf(server, id)).toBe(1)
  })

  it('for somebody shows the address masked', async () => {
    const email = someone()
    const { link } = await invite({ email, isMailed: false })
    const browser = await opened(link)
    expect(browser.page.words).toContain('g•••@example.org')
    expect(browser.page.text).not.toContain(email)
    const wrong = await browser.submit('/sign-up', wanted(someone()))
    expect(wrong.words).toContain('for another address')
    await browser.submit('/sign-up', wanted(email))
    await browser.submit('/verify-email', { code: await server.inbox.code(email) })
    expect(await find(email)).not.toBeNull()
  })

  it('leads to the app that it names, and opens no sign-up without its button', async () => {
    const { clientId } = await createClient(server, { clientUri: 'https://diary.example/' })
    const client = { id: clientId, name: 'Plant Diary' }
    const { link } = await invite({ isMailed: false, client })
    const browser = await opened(link)
    expect(browser.page.url.href).toBe('https://diary.example/')
    const page = await browser.visit('/signup')
    expect(page.text).toContain('name="password"')
    const stranger = new Browser(server.origin)
    await stranger.visit(path(link))
    expect((await stranger.visit('/signup')).words).toContain('by invitation only')
  })

  it.each(['', 'x', 'x'.repeat(300), '%00'])('is none with the secret %j', async (token) => {
    const page = await new Browser(server.origin).visit(`/invitation?token=${token}`)
    expect([page.status, page.h1]).toEqual([400, 'This invitation no longer works'])
  })
})

describe('the last use', () => {
  it('is had by one of 1000 who come at once, in two instances', async () => {
    const { id } = await invite({ isMailed: false })
    const tries = Array.from({ length: 1000 }, async (_, index) => {
      const { database: store, registration: rules } = (index % 2 ? server : other).context
      return store.em
        .fork()
        .transactional((tx) => rules.admitTo(tx, { email: someone(), invitation: id, terms: null }))
    })
    const settled = await Promise.allSettled(tries)
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const others = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
    // On a busy machine some find no connection in time.
    const refused = others.filter((reason) => !isUnavailable(reason)) as { code?: string }[]
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['invalid_invitation']))
    expect(await usesOf(server, id)).toBe(1)
  })

  it('is not spent by a sign-up that fails', async () => {
    const taken = await createAccount(server)
    const { id, link } = await invite({ isMailed: false })
    const browser = await opened(link)
    await browser.submit('/sign-up', wanted(taken.email))
    await browser.submit('/verify-email', { code: '123456' })
    expect(await usesOf(server, id)).toBe(0)
  })
})

it('nothing opens where nobody may register', async () => {
  const closed = await startApi({
    database,
    config: { registration: { ...registration, mode: 'closed' } },
  })
  try {
    const { link } = await invite({ isMailed: false })
    const { page } = await openInvitation(closed, link)
    expect(page.words).toContain('not made here')
  } finally {
    await closed.stop()
  }
})

it('LG-01 every step of an invitation is in the audit trail', async () => {
  await server.context.audit.flush()
  const { rows } = await server.context.database.pool.query<{ type: string }>(
    `select distinct "type" from "audit_event" where "type" like 'invitation%' order by "type"`,
  )
  expect(rows.map(({ type }) => type)).toEqual([
    'invitation_accepted',
    'invitation_created',
    'invitation_revoked',
  ])
})
