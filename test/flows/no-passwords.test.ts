import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { api, startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey, passkeySignIn } from '../support/passkeys.ts'
import { ORIGIN } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const NEW_PASSWORD = 'twelve quiet otters sail home'
let made = 0
const stranger = () => `nobody.${++made}@example.org`

describe('where nobody signs in by a password', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startApi({ signIn: { methods: ['passkey', 'email-code'] } })
  })
  afterAll(() => server.stop())

  /** An account with a passkey and a password from before. */
  async function passkeyPerson() {
    const account = await createAccount(server)
    const { authenticator } = await givePasskey(server, account)
    await server.inbox.next(account.email)
    return { account, authenticator }
  }

  /** The paths that a mail leads to. */
  async function pathsOf(email: string): Promise<(string | undefined)[]> {
    const { text } = await server.inbox.next(email)
    return (text.match(/https?:\/\/[^\s<>"]+/g) ?? []).map((found) => new URL(found).pathname)
  }

  it('the pages of a reset lead to the recovery, and on the way to an app still do', async () => {
    const browser = new Browser(server.origin)
    for (const path of [
      '/forgot',
      '/forgot-password',
      '/reset-password',
      '/reset-password?token=x',
    ])
      expect((await browser.visit(path)).url.pathname).toBe('/recover')
    const left = await browser.visit('/forgot-password?interaction=abc')
    expect(left.url.search).toBe('?interaction=abc')
    const page = await browser.post('/forgot-password', { email: stranger() })
    expect(page.url.pathname).toBe('/recover')
  })

  it('EN-01 the API refuses a reset, and says so alike of every address', async () => {
    const { account } = await passkeyPerson()
    const route = 'PATCH /forgot/password'
    const answers = [
      await api(server, route, { email: account.email }),
      await api(server, route, { email: stranger() }),
      await api(server, route, {
        email: account.email,
        password: NEW_PASSWORD,
        tokenId: '00000000-0000-7000-8000-000000000000',
        code: '000000',
      }),
    ]
    for (const { status, body } of answers)
      expect([status, body.error]).toEqual([403, 'method_not_offered'])
  })

  it('a reset that was mailed before changes nothing: the passkey still signs in', async () => {
    await using before = await startServer({ database: { url: server.config.database.url } })
    const { account, authenticator } = await passkeyPerson()
    await before.context.passwordReset.request(account.email, ORIGIN)
    const link = await server.inbox.link(account.email, '/reset-password')
    const browser = new Browser(server.origin)
    expect((await browser.visit(`${link.pathname}${link.search}`)).url.pathname).toBe('/recover')
    await expect(
      server.context.passwordReset.completeByLink(
        { secret: link.searchParams.get('token') ?? '', password: NEW_PASSWORD },
        ORIGIN,
      ),
    ).rejects.toMatchObject({ code: 'method_not_offered' })
    expect((await passkeySignIn(server, authenticator)).status).toBe(200)
  })

  it('"this wasn’t me" and its dead link lead to the recovery', async () => {
    const account = await createAccount(server)
    await givePasskey(server, account)
    const link = await server.inbox.link(account.email, '/report-compromise')
    const owner = new Browser(server.origin)
    await owner.visit(link)
    const ways = (await owner.submit('/report-compromise')).links.map(({ pathname }) => pathname)
    expect(ways).toContain('/recover')
    expect(ways).not.toContain('/forgot-password')
    const dead = (await owner.visit(link)).links.map(({ pathname }) => pathname)
    expect(dead).toContain('/recover')
    expect(dead).not.toContain('/forgot-password')
  })

  it('no mail offers a new password', async () => {
    const { account } = await passkeyPerson()
    const { signUp, signInCodes } = server.context
    const person = { name: account.name, email: account.email, password: null, locale: 'en' }
    await signUp.start(person, ORIGIN)
    const taken = await pathsOf(account.email)
    expect(taken).toContain('/recover')
    expect(taken).not.toContain('/forgot-password')
    await signInCodes.request({ email: account.email, binding: 'test' }, ORIGIN)
    const otherwise = await pathsOf(account.email)
    expect(otherwise).toContain('/recover')
    expect(otherwise).not.toContain('/forgot-password')
  })
})
