import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { codeOf, enableMfa, enter, signedIn } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const NEW_PASSWORD = 'twelve quiet otters sail home'
const ORIGIN = { ip: '192.0.2.9', userAgent: 'curl/8', requestId: 'r' }

describe('"this wasn’t me"', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it('UX-27 UX-29 ends all sessions and apps, refuses sign-in until a reset, keeps the account as it is', async () => {
    const account = await createAccount(server)
    const { browser: thief } = await signedIn(server, { account })
    const app = await relyingParty(server, { firstParty: true })
    const tokens = await app.redeem(
      (await thief.visit(app.authorizationUrl({ scope: 'openid' }))).url,
    )
    await signedIn(server, { account })
    const link = await server.inbox.link(account.email, '/report-compromise')

    const owner = new Browser(server.origin)
    for (let visit = 0; visit < 3; visit += 1)
      expect((await owner.visit(link)).h1).toBe('Was this not you?')
    expect((await thief.visit('/account')).words).toContain(account.email)
    expect((await owner.submit('/report-compromise')).h1).toBe('Your account is safe')

    expect((await thief.visit('/account')).h1).toBe('Sign in')
    await expect(app.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await expect(app.userinfo(tokens.access_token)).rejects.toThrow()
    expect((await enter(thief, account)).status).toBe(401)
    expect((await owner.visit(link)).status).toBe(400)

    await owner.visit('/forgot-password')
    await owner.submit('/forgot-password', { email: account.email })
    await owner.submit('/reset-password', {
      code: await server.inbox.code(account.email),
      password: NEW_PASSWORD,
    })
    await owner.visit('/account')
    expect((await enter(owner, { ...account, password: NEW_PASSWORD })).words).toContain(
      account.name,
    )
  })

  it('TF-12 UX-29 every security mail carries the link, and each link works by itself', async () => {
    const account = await createAccount(server)
    const { mfa, recoveryCodes, passwords, events, database } = server.context
    const links: URL[] = []
    const { id: enrolmentId, secret } = await mfa.enrol(account)
    const typed = { accountId: account.id, enrolmentId, code: await codeOf(secret) }
    const codes = await mfa.confirm(typed, ORIGIN)
    links.push(await server.inbox.link(account.email, '/report-compromise'))
    await server.context.secondStep.verify(
      account.id,
      codes[0] ?? '',
      ORIGIN,
      async () => undefined,
    )
    links.push(await server.inbox.link(account.email, '/report-compromise'))
    const [code = ''] = await recoveryCodes.regenerate(account.id, ORIGIN)
    links.push(await server.inbox.link(account.email, '/report-compromise'))
    await mfa.disable(account.id, code, ORIGIN)
    links.push(await server.inbox.link(account.email, '/report-compromise'))
    await passwords.replace(account.id, NEW_PASSWORD)
    const em = database.em.fork()
    await em.transactional(async (tx) =>
      events.notify(
        tx,
        await tx.findOneOrFail(Account, { id: account.id }),
        'password_changed',
        ORIGIN,
      ),
    )
    links.push(await server.inbox.link(account.email, '/report-compromise'))

    expect(new Set(links.map(({ search }) => search)).size).toBe(5)
    for (const link of links)
      expect((await new Browser(server.origin).visit(link)).h1).toBe('Was this not you?')
  })

  it('a person halfway through a sign-in gets no further', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const link = await server.inbox.link(account.email, '/report-compromise')
    const thief = new Browser(server.origin)
    await thief.visit('/account')
    await enter(thief, account)
    const owner = new Browser(server.origin)
    await owner.visit(link)
    await owner.submit('/report-compromise')
    expect((await thief.submit('/mfa', { code: await authenticator.code() })).status).toBe(400)
    expect(await server.context.sessions.list(account.id)).toEqual([])
  })

  it('EM-01 the secret of one kind of mail opens no page of another', async () => {
    const account = await createAccount(server)
    const { browser } = await signedIn(server, { account, path: '/account/email' })
    await enableMfa(server, account)
    const report = await server.inbox.link(account.email, '/report-compromise')
    await browser.submit('/account/email', { email: 'elsewhere@example.net' })
    const change = await server.inbox.link('elsewhere@example.net', '/change-email')
    await server.context.passwordReset.request(account.email, ORIGIN)
    const reset = await server.inbox.link(account.email, '/reset-password')
    const pages = [
      '/verify-email',
      '/change-email',
      '/undo-email',
      '/report-compromise',
      '/keep-account',
      '/reset-password',
    ]
    const csrf =
      browser.page.form('/account/sign-out').fields.find(({ name }) => name === '_csrf')?.value ??
      ''
    for (const link of [change, reset, report])
      for (const path of pages.filter((each) => each !== link.pathname)) {
        const token = link.searchParams.get('token') ?? ''
        expect(`${path} ${(await browser.visit(`${path}?token=${token}`)).status}`).toBe(
          `${path} 400`,
        )
        expect(
          `${path} ${(await browser.post(path, { _csrf: csrf, token, password: NEW_PASSWORD })).status}`,
        ).toBe(`${path} 400`)
      }
    for (const link of [change, reset, report]) expect((await browser.visit(link)).status).toBe(200)
    expect((await signedInAgain(account)).status).toBe(200)
  })

  async function signedInAgain(account: { email: string }) {
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    return enter(browser, { ...account, password: PASSWORD })
  }
})
