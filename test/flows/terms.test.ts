import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { CanonicalEmail } from '../../src/accounts/canonical-email.ts'
import { Acceptance, Account } from '../../src/entities/index.ts'
import { api, startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { enter } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'
import { NEWER_TERMS, publishTerms, TERMS } from '../support/terms.ts'
import { comeBy, somebody } from '../support/upstream/coming.ts'
import { HOSTILE_CLIENT, HostileOp } from '../support/upstream/hostile-op.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'

let op: HostileOp
let server: TestServer
beforeAll(async () => {
  op = await HostileOp.open()
  server = await startApi({ outgoing: TO_LOOPBACK, config: { terms: TERMS } })
  await createProvider(server, {
    id: 'acme',
    issuer: op.issuer,
    client: HOSTILE_CLIENT,
    settings: { emailTrust: 'claim' },
  })
})
afterAll(async () => {
  await server.stop()
  await op[Symbol.asyncDispose]()
})
beforeEach(() => publishTerms(server, TERMS))

let made = 0
const someone = () => `t${++made}@example.org` as CanonicalEmail
const em = () => server.context.database.em.fork()
const find = (email: string) => em().findOne(Account, { email })
const acceptedBy = async (email: string) =>
  (await em().find(Acceptance, { account: { email } }, { orderBy: { acceptedAt: 'asc' } })).map(
    ({ document, version, locale }) => ({ document, version, locale }),
  )
const OF_PAGE = { document: 'terms', version: TERMS.version, locale: 'en' }
const wanted = (email: string) => ({ name: 'Grace Hopper', email, password: PASSWORD })

/** The page of a sign-up, as far as the form. */
async function atSignUp(path = '/signup'): Promise<Browser> {
  const browser = new Browser(server.origin)
  await browser.visit(path)
  return browser
}

describe('an account is made with the terms', () => {
  it('by the form, whose box is not ticked beforehand', async () => {
    const email = someone()
    const browser = await atSignUp()
    expect(browser.page.text).toContain('name="terms"')
    expect(browser.page.text).not.toMatch(/name="terms"[^>]* checked/)
    const refused = await browser.submit('/sign-up', { ...wanted(email), terms: false })
    expect([refused.status, refused.words.includes('Tick the box')]).toEqual([400, true])
    expect(await server.inbox.mails(email)).toEqual([])
    await browser.submit('/sign-up', { ...wanted(email), terms: true })
    const page = await browser.submit('/verify-email', { code: await server.inbox.code(email) })
    expect([page.status, page.url.pathname]).toEqual([200, '/account'])
    expect(await acceptedBy(email)).toEqual([OF_PAGE])
  })

  it('UX-11 whose other faults are said with it', async () => {
    const browser = await atSignUp()
    const typed = { ...wanted('nobody'), name: '', terms: false }
    const page = await browser.submit('/sign-up', typed)
    for (const words of ['Enter an e-mail address', 'Tick the box', 'Enter a name'])
      expect(page.words).toContain(words)
  })

  it('in the version that counts, not one of a page from before', async () => {
    const email = someone()
    const browser = await atSignUp()
    publishTerms(server, NEWER_TERMS)
    const stale = await browser.submit('/sign-up', { ...wanted(email), terms: true })
    expect([stale.status, stale.words.includes('Tick the box')]).toEqual([400, true])
    expect(stale.text).toContain(`value="${NEWER_TERMS.version}"`)
  })

  it('by an invitation', async () => {
    const email = someone()
    await server.context.invitations.create({ email, isMailed: true, seconds: 3600 })
    const { pathname, search } = await server.inbox.link(email, '/invitation')
    const browser = await atSignUp(`${pathname}${search}`)
    await browser.submit('/invitation')
    const typed = { name: 'Grace', password: PASSWORD }
    expect((await browser.submit('/sign-up', { ...typed, terms: false })).status).toBe(400)
    expect(await find(email)).toBeNull()
    const page = await browser.submit('/sign-up', { ...typed, terms: true })
    expect([page.status, page.url.pathname]).toEqual([200, '/account'])
    expect(await acceptedBy(email)).toEqual([OF_PAGE])
  })

  it('with a passkey', async () => {
    const email = someone()
    const browser = await atSignUp()
    const typed = { name: 'Grace', email, terms: true }
    await browser.submit('/sign-up', typed, { button: 'yes' })
    await browser.submit('/verify-email', { code: await server.inbox.code(email) })
    expect(await acceptedBy(email)).toEqual([OF_PAGE])
  })

  it('EM-11 by a mailed link elsewhere: what a stranger accepted is not taken over', async () => {
    const email = someone()
    const stranger = await atSignUp()
    await stranger.submit('/sign-up', { ...wanted(email), terms: true })
    const { pathname, search } = await server.inbox.link(email, '/verify-email')
    const browser = await atSignUp(`${pathname}${search}`)
    const refused = await browser.submit('/verify-email', { password: PASSWORD, terms: false })
    expect([refused.status, await find(email)]).toEqual([400, null])
    const page = await browser.submit('/verify-email', { password: PASSWORD, terms: true })
    expect(page.status).toBe(200)
    expect(await acceptedBy(email)).toEqual([OF_PAGE])
  })

  it('who comes by a provider, on the page that shows the name', async () => {
    op.person = somebody({ email: someone(), email_verified: true, name: 'Grace Hopper' })
    const email = String(op.person['email'])
    const browser = new Browser(server.origin)
    await browser.visit('/login')
    const page = await comeBy(browser, op)
    expect(page.step).toBe('arrival')
    expect(page.text).toContain('value="Grace Hopper"')
    expect(await find(email)).toBeNull()
    expect((await browser.submit('/arrival', { terms: false })).status).toBe(400)
    expect(await find(email)).toBeNull()
    const done = await browser.submit('/arrival', { terms: true })
    expect([done.status, done.url.pathname]).toEqual([200, '/account'])
    expect(await acceptedBy(email)).toEqual([OF_PAGE])
  })

  it('is told by the export and the trail, and ends with the account', async () => {
    const email = someone()
    const browser = await atSignUp()
    await browser.submit('/sign-up', { ...wanted(email), terms: true })
    await browser.submit('/verify-email', { code: await server.inbox.code(email) })
    const { id } = (await find(email)) ?? { id: '' }
    const document = JSON.parse((await browser.visit('/account/export')).text)
    expect(document.acceptances).toEqual([{ ...OF_PAGE, accepted_at: expect.any(String) }])
    await server.context.audit.flush()
    const { rows } = await server.context.database.pool.query<{ detail: object }>(
      `select "detail" from "audit_event" where "type" = 'terms_accepted' and "account_id" = $1`,
      [id],
    )
    expect(rows).toEqual([{ detail: { version: TERMS.version } }])
    await em().nativeDelete(Account, { id })
    expect(await em().count(Acceptance, { account: id })).toBe(0)
  })
})

describe('a sign-in', () => {
  const app = () => relyingParty(server, { firstParty: true })

  /** An account of the operator's, who has accepted nothing, at the page of the terms. */
  async function asked(scope = 'openid') {
    const account = await createAccount(server)
    const party = await app()
    const browser = new Browser(server.origin)
    await browser.visit(party.authorizationUrl({ scope }))
    await enter(browser, account)
    return { account, party, browser }
  }

  it('asks who has not accepted, once, before it goes on to the app', async () => {
    const { account, party, browser } = await asked()
    expect(browser.page.step).toBe('terms')
    expect((await browser.submit('/terms', { terms: false })).status).toBe(400)
    const page = await browser.submit('/terms', { terms: true })
    expect(page.url.searchParams.has('code')).toBe(true)
    await party.redeem(page.url)
    expect(await acceptedBy(account.email)).toEqual([OF_PAGE])
    const again = await browser.visit(party.authorizationUrl())
    expect(again.url.searchParams.has('code')).toBe(true)
  })

  it('asks again when the version changes, also who is signed in, and never silently', async () => {
    const { account, party, browser } = await asked()
    await browser.submit('/terms', { terms: true })
    publishTerms(server, NEWER_TERMS)
    const silent = await browser.visit(party.authorizationUrl({ prompt: 'none' }))
    expect(silent.url.searchParams.get('error')).toBe('interaction_required')
    await browser.visit(party.authorizationUrl())
    expect(browser.page.step).toBe('terms')
    const page = await browser.submit('/terms', { terms: true })
    expect(page.url.searchParams.has('code')).toBe(true)
    expect((await acceptedBy(account.email)).map(({ version }) => version)).toEqual([
      TERMS.version,
      NEWER_TERMS.version,
    ])
    const quiet = await browser.visit(party.authorizationUrl({ prompt: 'none' }))
    expect(quiet.url.searchParams.has('code')).toBe(true)
  })

  it('takes no acceptance of a page from before, nor of another version', async () => {
    const { account, browser } = await asked()
    const [form] = browser.page.forms
    publishTerms(server, NEWER_TERMS)
    expect((await browser.submit('/terms', { terms: true })).status).toBe(400)
    const token = form?.fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const forged = await browser.post(form?.action ?? '', { _csrf: token, terms: 'yes' })
    expect([forged.status, await acceptedBy(account.email)]).toEqual([400, []])
  })

  it('that is declined ends at the app, without an answer', async () => {
    const { account, browser } = await asked()
    const page = await browser.submit('/terms/decline')
    expect([page.isForeign, page.url.searchParams.get('error')]).toEqual([true, 'access_denied'])
    expect(await acceptedBy(account.email)).toEqual([])
  })

  it('comes before consent, which it is no consent for', async () => {
    const account = await createAccount(server)
    const party = await relyingParty(server)
    const browser = new Browser(server.origin)
    await browser.visit(party.authorizationUrl())
    await enter(browser, account)
    expect(browser.page.step).toBe('terms')
    await browser.submit('/terms', { terms: true })
    expect(browser.page.step).toBe('consent')
    const page = await browser.submit('/consent', {}, { button: 'allow' })
    expect(page.url.searchParams.has('code')).toBe(true)
  })

  it('lets who declines get to their own account, to take it along or to delete it', async () => {
    const account = await createAccount(server)
    const browser = await atSignUp('/account')
    await enter(browser, account)
    expect(browser.page.step).toBe('terms')
    const page = await browser.submit('/terms/decline')
    expect([page.status, page.url.pathname]).toEqual([200, '/account'])
    expect((await browser.visit('/account/export')).status).toBe(200)
    const party = await app()
    await browser.visit(party.authorizationUrl())
    expect(browser.page.step).toBe('terms')
  })

  it('stores one acceptance, however often it is sent', async () => {
    const { account, browser } = await asked()
    const { action, fields } = browser.page.form('/terms')
    const token = fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const typed = { _csrf: token, terms: TERMS.version }
    const tries = Array.from({ length: 20 }, () => browser.copy().post(action, typed))
    await Promise.allSettled(tries)
    expect(await acceptedBy(account.email)).toEqual([OF_PAGE])
    await server.context.audit.flush()
    const { rows } = await server.context.database.pool.query(
      `select from "audit_event" where "type" = 'terms_accepted' and "account_id" = $1`,
      [account.id],
    )
    expect(rows).toHaveLength(1)
  })

  it('is not asked where no terms have to be accepted', async () => {
    publishTerms(server, undefined)
    const { account, browser } = await asked()
    expect(browser.page.url.searchParams.has('code')).toBe(true)
    expect(await acceptedBy(account.email)).toEqual([])
    expect((await atSignUp()).page.text).not.toContain('name="terms"')
  })
})

describe('the account API', () => {
  const accept = (token: string, version = TERMS.version) =>
    api(server, 'POST /terms', { token, version })

  it('refuses a sign-up with a token that accepts them, for that address alone', async () => {
    const email = someone()
    const refused = await api(server, 'POST /sign-up/email', wanted(email))
    expect([refused.status, refused.body]).toEqual([
      403,
      expect.objectContaining({ error: 'terms_required', ...TERMS, expires_in: 600 }),
    ])
    const { terms_token } = (await accept(refused.body.token)).body
    const other = { ...wanted(someone()), terms_token }
    expect((await api(server, 'POST /sign-up/accepted', other)).body.error).toBe(
      'challenge_expired',
    )
    const begun = await api(server, 'POST /sign-up/accepted', { ...wanted(email), terms_token })
    expect(begun.status).toBe(202)
    const { userId, tokenId } = begun.body
    const typed = { userId, tokenId, email, code: await server.inbox.code(email) }
    expect((await api(server, 'POST /verify/email', typed)).status).toBe(200)
    expect(await acceptedBy(email)).toEqual([{ ...OF_PAGE, locale: null }])
    expect((await api(server, 'POST /sign-in/email', wanted(email))).status).not.toBe(403)
  })

  it('EN-01 refuses alike whether or not the address has an account, before it mails', async () => {
    const { email } = await createAccount(server)
    const answers = []
    for (const address of [email, someone()]) {
      const { status, body } = await api(server, 'POST /sign-up/email', wanted(address))
      answers.push({ status, names: Object.keys(body), length: body.token.length })
      await server.context.worker.drain()
      expect(await server.inbox.mails(address)).toEqual([])
    }
    expect(answers[0]).toEqual(answers[1])
  })

  it('takes them with an invitation, too', async () => {
    const email = someone()
    const { link } = await server.context.invitations.create({ isMailed: false, seconds: 3600 })
    const invitation = new URL(link ?? '').searchParams.get('token')
    const invited = { ...wanted(email), invitation }
    const { body } = await api(server, 'POST /sign-up/invited', invited)
    expect(body.error).toBe('terms_required')
    const { terms_token } = (await accept(body.token)).body
    const begun = await api(server, 'POST /sign-up/invited', { ...invited, terms_token })
    expect(begun.status).toBe(202)
  })

  it('refuses a sign-in after the right password only, and takes it once they are accepted', async () => {
    const { id, email, password } = await createAccount(server)
    const wrong = await api(server, 'POST /sign-in/email', { email, password: `${password}x` })
    expect(wrong.body.error).toBe('invalid_credentials')
    const refused = await api(server, 'POST /sign-in/email', { email, password })
    expect([refused.status, refused.body.error]).toEqual([403, 'terms_required'])
    expect(await server.context.sessions.list(id)).toEqual([])
    expect((await accept(refused.body.token)).status).toBe(200)
    expect(await acceptedBy(email)).toEqual([{ ...OF_PAGE, locale: null }])
    expect((await api(server, 'POST /sign-in/email', { email, password })).status).toBe(200)
  })

  it('takes no token that is forged, altered, of another step or of another version', async () => {
    const email = someone()
    const { token } = (await api(server, 'POST /sign-up/email', wanted(email))).body
    const account = await createAccount(server)
    const known = { email: account.email, password: account.password }
    const { token: own } = (await api(server, 'POST /sign-in/email', known)).body
    const { terms_token } = (await accept(token)).body
    const mixed = `${own.split('.')[0]}.${token.split('.')[1]}`
    for (const bad of ['x', mixed, terms_token, `${token.slice(0, -2)}xx`, `${own}x`])
      expect([bad, (await accept(bad)).body.error]).toEqual([bad, 'challenge_expired'])
    const unspent = { ...wanted(email), terms_token: token }
    expect((await api(server, 'POST /sign-up/accepted', unspent)).body.error).toBe(
      'challenge_expired',
    )
    expect((await accept(own, '2020-01')).body.error).toBe('terms_required')
    publishTerms(server, NEWER_TERMS)
    expect((await accept(own, NEWER_TERMS.version)).body.error).toBe('challenge_expired')
    const old = { ...wanted(email), terms_token }
    expect((await api(server, 'POST /sign-up/accepted', old)).body.error).toBe('challenge_expired')
    expect(await acceptedBy(account.email)).toEqual([])
  })
})
