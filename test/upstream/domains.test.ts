import { beforeAll, describe, expect, it } from '@jest/globals'
import { api } from '../support/api.ts'
import { createAccount } from '../support/factories.ts'
import { relyingParty } from '../support/relying-party.ts'
import { browse, FROM_ELSEWHERE } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

describe('a domain whose people sign in elsewhere', () => {
  const server = useServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
  const op = HostileOp.use()

  beforeAll(async () => {
    await createProvider(server, {
      issuer: op.issuer,
      settings: {
        domains: ['corp.example'],
        emailTrust: 'domains',
        enforceForDomains: true,
      },
    })
  })

  const login = async (username: string, password: string) => {
    const browser = browse(server)
    await browser.visit('/account')
    await browser.submit('/login', { username, password })
    return browser
  }
  const failures = async () => {
    const { rows } = await server.context.database.pool.query('select from "attempt_counter"')
    return rows.length
  }

  it('is sent there by the address, with or without an account, whatever the password', async () => {
    const ada = await createAccount(server, { email: 'ada@corp.example' })
    const before = await failures()
    for (const [username, password] of [
      [ada.email, ada.password],
      [ada.email, 'wrong'],
      [ada.email, ''],
      ['nobody@corp.example', 'wrong'],
      ['Nobody@CORP.example', 'wrong'],
    ] as const) {
      const { page } = await login(username, password)
      expect([page.isForeign, page.url.origin]).toEqual([true, op.issuer])
      expect(page.url.searchParams.get('login_hint')).toBe(username)
    }
    expect(await failures()).toBe(before)
  })

  it('is the only one: others, subdomains and what looks alike sign in here', async () => {
    for (const email of ['bob@example.org', 'bob@sub.corp.example', 'bob@corp.example.org']) {
      const account = await createAccount(server, { email })
      const { page } = await login(account.email, account.password)
      expect(page.status).toBe(200)
      expect(page.words).toContain(email)
    }
  })

  it('connects an account that was here before, by its own password', async () => {
    const account = await createAccount(server, { email: 'eve@corp.example' })
    op.person = { sub: 'eve', email: account.email, email_verified: true, name: 'Eve' }
    const browser = await login(account.email, '')
    await browser.visit(await op.authorize(browser.page.url), FROM_ELSEWHERE)
    await browser.submit('/login', { username: account.email, password: account.password })
    await browser.submit('/connect', {})
    expect((await browser.visit('/account')).words).toContain(account.email)
    const again = await login(account.email, '')
    await again.visit(await op.authorize(again.page.url), FROM_ELSEWHERE)
    expect((await again.visit('/account')).words).toContain(account.email)
  })

  it('is not signed in by another password of the domain on the way to connect one', async () => {
    const account = await createAccount(server, { email: 'sue@corp.example' })
    const colleague = await createAccount(server, { email: 'tom@corp.example' })
    op.person = { sub: 'sue', email: account.email, email_verified: true, name: 'Sue' }
    const browser = await login(account.email, '')
    await browser.visit(await op.authorize(browser.page.url), FROM_ELSEWHERE)
    const { email: username, password } = colleague
    expect((await browser.submit('/login', { username, password })).isForeign).toBe(true)
  })

  it('is told where the app does not take people from there, and is not sent in circles', async () => {
    const party = await relyingParty(server, { providers: [], firstParty: true })
    const browser = browse(server)
    const typed = { username: 'ann@corp.example', password: 'x' }
    await browser.visit(party.authorizationUrl())
    const page = await browser.submit('/login', typed)
    expect([page.isForeign, page.status, page.step]).toEqual([false, 403, 'login'])
    expect(page.words).toContain('which cannot be used for this app')
    expect(page.form('/login').fields).toContainEqual(
      expect.objectContaining({ name: 'username', value: typed.username }),
    )
    const { email: username, password } = await createAccount(server)
    expect((await browser.submit('/login', { username, password })).isForeign).toBe(true)

    await browser.visit(party.authorizationUrl({ prompt: 'create' }))
    const fields = { name: 'Ann', email: typed.username, password: 'x' }
    const signUp = await browser.submit('/sign-up', fields)
    expect([signUp.isForeign, signUp.status]).toEqual([false, 403])
    expect(signUp.words).toContain('which cannot be used for this app')
  })

  it('gets no code to set a password: the mail says where to sign in', async () => {
    const account = await createAccount(server, { email: 'joe@corp.example' })
    for (const email of [account.email, 'noone@corp.example', 'noone@example.net']) {
      const browser = browse(server)
      await browser.visit('/forgot-password')
      const { status } = await browser.submit('/forgot-password', { email })
      expect(status).toBe(200)
    }
    const mail = await server.inbox.next(account.email)
    expect(mail.subject).toContain('Acme')
    expect(mail.text).not.toMatch(/\b\d{6}\b/)
    expect(mail.text).toContain(`${server.origin}/login`)
  })

  it('has no password at the account API', async () => {
    const account = await createAccount(server, { email: 'api@corp.example' })
    const { password } = account
    for (const email of [account.email, 'none@corp.example'])
      expect(await api(server, 'POST /sign-in/email', { email, password })).toMatchObject({
        status: 403,
        body: { error: 'method_not_offered' },
      })
  })
})
