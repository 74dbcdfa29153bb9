import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { age, api, isAlive, startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { givePasskey } from '../support/passkeys.ts'
import { proveMailbox } from '../support/recovering.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let made = 0
const someone = () => `grace.${++made}@example.org`

describe('a whole life by mailed codes, where nothing else is offered', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startApi({ signIn: { methods: ['email-code'], secondFactors: [] } })
  })
  afterAll(() => server.stop())

  const find = (email: string) =>
    server.context.database.em
      .fork()
      .findOneOrFail(Account, { email }, { populate: ['passwordHash'] })

  /** A browser whose person has signed up, and is at the account. */
  async function signedUp(email = someone()) {
    const browser = new Browser(server.origin)
    await browser.visit('/signup')
    expect(browser.page.text).not.toContain('type="password"')
    await browser.submit('/sign-up', { name: 'Grace Hopper', email })
    await browser.submit('/verify-email', { code: await server.inbox.code(email) })
    expect(browser.page.url.pathname).toBe('/account')
    return { browser, email }
  }

  async function enterByCode(browser: Browser, email: string) {
    await browser.submit('/send-code', { username: email })
    return browser.submit('/email-code', { code: await server.inbox.code(email) })
  }

  it('UX-37 on the pages: sign-up, sign-out, sign-in, account, an app, deletion', async () => {
    const { browser, email } = await signedUp()
    const { id, passwordHash } = await find(email)
    expect(passwordHash).toBeNull()
    await browser.submit('/account/sign-out')
    expect((await browser.visit('/account')).h1).toBe('Sign in')
    expect((await enterByCode(browser, email)).words).toContain('Grace Hopper')

    const app = await relyingParty(server, { firstParty: true })
    const { url } = await browser.visit(app.authorizationUrl())
    expect((await app.redeem(url)).claims()?.sub).toBe(id)

    await browser.visit('/account/delete')
    const gone = await browser.submit('/account/delete', { confirmation: email })
    expect(gone.words).toContain('will be deleted')
    expect((await find(email)).status).toBe('deleting')
  })

  it('UX-37 through the API: sign-up, sign-in, a fresh proof, deletion', async () => {
    const email = someone()
    const { body: begun } = await api(server, 'POST /sign-up/email', { name: 'Grace', email })
    const { userId, tokenId } = begun
    const code = await server.inbox.code(email)
    expect((await api(server, 'POST /verify/email', { userId, tokenId, email, code })).status).toBe(
      200,
    )
    const route = 'POST /sign-in/code'
    const { body: asked } = await api(server, route, { email })
    const typed = { email, tokenId: asked.tokenId, code: await server.inbox.code(email) }
    const { body } = await api(server, route, typed)
    expect(body.user.id).toBe(userId)
    const token = body.access_token as string
    expect(await isAlive(server, token)).toBe(true)
    await age(server, { sessionId: body.session.id }, 3600)
    const proof = 'POST /verification'
    expect((await api(server, 'DELETE /user', {}, { token })).body.error).toBe(
      'reauthentication_required',
    )
    const { body: mailed } = await api(server, proof, {}, { token })
    const shown = { tokenId: mailed.tokenId, code: await server.inbox.code(email) }
    expect((await api(server, proof, shown, { token })).status).toBe(200)
    expect((await api(server, 'DELETE /user', {}, { token })).status).toBe(202)
    expect(await find(email)).toMatchObject({ passwordHash: null, status: 'deleting' })
  })

  it('a password at the API is refused: it would sign in nobody', async () => {
    const wanted = { name: 'Grace', email: someone(), password: PASSWORD }
    const { status, body } = await api(server, 'POST /sign-up/email', wanted)
    expect([status, body.error]).toEqual([403, 'method_not_offered'])
  })

  it('where passwords are all there is, the API still asks for one', async () => {
    await using other = await startServer({ signIn: { methods: ['password'] } })
    const wanted = { name: 'Grace', email: someone() }
    const { status, body } = await api(other, 'POST /sign-up/email', wanted)
    expect([status, body]).toMatchObject([400, { fields: { password: 'required' } }])
  })

  it('EM-11 the mailed link in another browser makes the account by one button, and no password', async () => {
    const email = someone()
    const browser = new Browser(server.origin)
    await browser.visit('/signup')
    await browser.submit('/sign-up', { name: 'Grace Hopper', email })
    const other = new Browser(server.origin)
    await other.visit(await server.inbox.link(email))
    expect(other.page.text).not.toContain('type="password"')
    const { h1, links } = await other.submit('/verify-email')
    expect(h1).toBe('Your address is confirmed')
    expect(links.map(({ pathname }) => pathname)).toContain('/login')
    expect((await find(email)).passwordHash).toBeNull()
    expect((await other.visit('/account')).h1).toBe('Sign in')
  })

  it('SE-11 after "this wasn’t me" the recovery opens the account again, without anything new', async () => {
    const { browser, email } = await signedUp()
    const { id } = await find(email)
    await server.context.database.pool.query(
      'update account set must_reset_password = true where id = $1',
      [id],
    )
    expect((await browser.visit('/account')).h1).toBe('Sign in')
    const owner = new Browser(server.origin)
    await owner.visit('/recover')
    await owner.submit('/recover', { email })
    await owner.submit('/recover/code', { code: await server.inbox.code(email) })
    await owner.submit('/recover/new', {}, { button: 'code' })
    expect(owner.page.h1).toBe('Your account is yours again')
    await owner.visit('/account')
    expect((await enterByCode(owner, email)).words).toContain('Grace Hopper')
  })

  it('an account that only a passkey makes stronger cannot be left with its mailbox alone', async () => {
    await using other = await startServer({ signIn: { methods: ['passkey', 'email-code'] } })
    const account = await createAccount(other)
    const { recoveryCodes } = await givePasskey(other, account)
    await other.inbox.next(account.email)
    const browser = await proveMailbox(other, account.email)
    await browser.submit('/recover/next', { code: recoveryCodes[0] ?? '' })
    expect(browser.page.url.pathname).toBe('/recover/new')
    expect(browser.page.text).not.toContain('value="code"')
    const { fields } = browser.page.form(0)
    const csrf = fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const { status } = await browser.post('/recover/new', { _csrf: csrf, way: 'code' })
    expect(status).toBe(403)
    expect((await browser.visit('/recover/new')).status).toBe(200)
  })
})
