import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { addresses } from '../security/attacks.ts'
import { startCluster } from '../support/balancer.ts'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey, showPasskey } from '../support/passkeys.ts'
import { enableMfa } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { useServer } from '../support/use-server.ts'

const ALL = { methods: ['password', 'passkey', 'email-code'] } as const
const elsewhere = addresses()
let made = 0
const stranger = () => `nobody.${++made}@example.org`
/** Never the one that was mailed. */
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

/** A browser whose page waits for a code. */
async function asked(
  server: Pick<TestServer, 'origin'>,
  email: string,
  {
    path = '/login',
    remember = false,
    browser = new Browser(server.origin, { headers: elsewhere() }),
  }: { path?: string | URL; remember?: boolean; browser?: Browser } = {},
): Promise<Browser> {
  await browser.visit(path)
  await browser.submit(sendForm(browser), { username: email, ...(remember ? { remember } : {}) })
  return browser
}

/** The sign-in form, sent by its other button. */
function sendForm(browser: Browser) {
  const form = browser.page.form('/login')
  const [, action = ''] = /formaction="([^"]+)"/.exec(browser.page.text) ?? []
  return { ...form, action: new URL(action, form.action) }
}

describe('signing in by a code to the address, by a person without JavaScript', () => {
  const server = useServer({ signIn: ALL, config: { trustedProxyHops: 1 } })

  it('is off unless the operator says otherwise: no button, and no door behind it', async () => {
    await using other = await startServer()
    const browser = new Browser(other.origin)
    await browser.visit('/login')
    expect(browser.page.words).not.toContain('Send me a code')
    const form = browser.page.form('/login')
    const action = new URL(form.action.pathname.replace('/login', '/send-code'), other.origin)
    const page = await browser.submit({ ...form, action }, { username: stranger() })
    expect([page.status, page.words]).toEqual([403, expect.stringContaining('not offered here')])
  })

  it('signs in with the code of the page that asked, and the tokens say how', async () => {
    const account = await createAccount(server)
    const app = await relyingParty(server, { firstParty: true, name: 'Plant Diary' })
    const browser = await asked(server, account.email, { path: app.authorizationUrl() })
    expect(browser.page.words).toContain(account.email)
    const mail = await server.inbox.next(account.email)
    expect(mail.text).toContain('Plant Diary')
    expect(mail.text).toMatch(/nobody will ask you/)
    const [code = ''] = /\d{3} \d{3}/.exec(mail.text) ?? []
    const { url } = await browser.submit('/email-code', { code })
    const { id_token: idToken = '', claims } = await app.redeem(url)
    expect(claims()?.sub).toBe(account.id)
    expect(decodeJwt(idToken)).toMatchObject({
      amr: ['urn:gatehouse:amr:email'],
      acr: 'urn:gatehouse:acr:1fa',
    })
  })

  it('a code that somebody was talked out of is good in no other page, not even one that waits for a code of the address', async () => {
    const account = await createAccount(server)
    const owner = await asked(server, account.email)
    const code = await server.inbox.code(account.email)
    const thief = await asked(server, account.email)
    await server.inbox.next(account.email)
    expect((await thief.submit('/email-code', { code })).status).toBe(400)
    expect((await owner.submit('/email-code', { code })).url.pathname).toBe('/account')
  })

  it('RL-06 a code has five tries, another one five more, and all of an address ten wrong ones an hour', async () => {
    const account = await createAccount(server)
    const browser = await asked(server, account.email)
    const first = await server.inbox.code(account.email)
    for (let guess = 0; guess < 5; guess += 1)
      expect((await browser.submit('/email-code', { code: wrong(first) })).status).toBe(400)
    expect((await browser.submit('/email-code', { code: first })).status).toBe(400)
    await browser.submit('/send-code-again')
    expect(browser.page.words).toContain('on its way')
    const second = await server.inbox.code(account.email)
    for (let guess = 0; guess < 4; guess += 1)
      expect((await browser.submit('/email-code', { code: wrong(second) })).status).toBe(400)
    const blocked = await browser.submit('/email-code', { code: second })
    expect([blocked.status, Number(blocked.response.headers.get('retry-after')) > 600]).toEqual([
      429,
      true,
    ])
  })

  it('RL-06 a hundred pages give nobody more guesses, and the owner’s browser keeps its own', async () => {
    const account = await createAccount(server)
    const owner = await asked(server, account.email)
    await owner.submit('/email-code', { code: await server.inbox.code(account.email) })
    expect(owner.page.url.pathname).toBe('/account')
    const pages = await Promise.all(Array.from({ length: 100 }, () => asked(server, account.email)))
    const statuses: number[] = []
    for (const page of pages)
      statuses.push((await page.submit('/email-code', { code: '000000' })).status)
    expect(statuses.filter((status) => status === 400)).toHaveLength(10)
    expect(statuses.filter((status) => status === 429)).toHaveLength(90)
    const app = await relyingParty(server, { firstParty: true })
    const path = app.authorizationUrl({ prompt: 'login' })
    await asked(server, account.email, { browser: owner, path })
    const code = await server.inbox.code(account.email)
    expect(
      (await app.redeem((await owner.submit('/email-code', { code })).url)).claims()?.sub,
    ).toBe(account.id)
  })

  it('an account of level 2 takes its second step, whose proofs are told together', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const app = await relyingParty(server, { firstParty: true })
    const browser = await asked(server, account.email, { path: app.authorizationUrl() })
    await browser.submit('/email-code', { code: await server.inbox.code(account.email) })
    expect(browser.page.step).toBe('mfa')
    const { url } = await browser.submit('/mfa', { code: await authenticator.code() })
    const { id_token: idToken = '' } = await app.redeem(url)
    expect(decodeJwt(idToken)).toMatchObject({
      amr: ['urn:gatehouse:amr:email', 'otp', 'mfa'],
      acr: 'urn:gatehouse:acr:2fa',
    })
  })

  it('TF-10 UX-20 the second step offers the passkey of an account that has an app, too', async () => {
    const account = await createAccount(server)
    await enableMfa(server, account)
    const { authenticator } = await givePasskey(server, account)
    const browser = await asked(server, account.email)
    await browser.submit('/email-code', { code: await server.inbox.code(account.email) })
    await showPasskey(browser, authenticator)
    expect(browser.page.url.pathname).toBe('/account')
    const [session] = await server.context.sessions.list(account.id)
    expect(session?.amr).toEqual(['urn:gatehouse:amr:email', 'pop', 'user', 'mfa'])
  })

  it('an account that only a passkey makes stronger is mailed no code, nor let in by one that was mailed before', async () => {
    const account = await createAccount(server)
    const browser = await asked(server, account.email)
    const code = await server.inbox.code(account.email)
    await givePasskey(server, account)
    const page = await browser.submit('/email-code', { code })
    expect([page.status, page.step]).toEqual([400, 'email-code'])
    await asked(server, account.email)
    const mail = await server.inbox.next(account.email)
    expect(mail.subject).toMatch(/does not open/)
    expect(mail.text).not.toMatch(/\d{3} \d{3}/)
  })

  it('a reset in between ends the code, and so does shutting the person out', async () => {
    for (const change of [
      'set credential_version = credential_version + 1',
      'set must_reset_password = true',
      "set status = 'disabled'",
    ]) {
      const account = await createAccount(server)
      const browser = await asked(server, account.email)
      const code = await server.inbox.code(account.email)
      await server.context.database.pool.query(`update account ${change} where id = $1`, [
        account.id,
      ])
      expect([change, (await browser.submit('/email-code', { code })).status]).toEqual([
        change,
        400,
      ])
    }
  })

  it('who has no account is told so by mail where people may register, and led to the form', async () => {
    const email = stranger()
    const browser = await asked(server, email)
    expect(browser.page.words).toContain(email)
    const link = await server.inbox.link(email, '/signup')
    expect((await browser.visit(link)).h1).toBe('Create your account')
  })

  it('who has no account is told nothing where nobody may register, and the page is the same', async () => {
    await using closed = await startServer({
      signIn: ALL,
      config: { registration: { mode: 'closed', domains: [], showsDomains: false } },
    })
    const email = stranger()
    const browser = await asked(closed, email)
    expect(browser.page.words).toContain(email)
    await closed.context.worker.drain()
    expect(await closed.inbox.mails(email)).toEqual([])
  })

  it('an account that must be reset first is told to, and gets no code', async () => {
    const { id, email } = await createAccount(server)
    await server.context.database.pool.query(
      'update account set must_reset_password = true where id = $1',
      [id],
    )
    await asked(server, email)
    const mail = await server.inbox.next(email)
    expect(mail.subject).toMatch(/does not open/)
    expect(mail.text).toContain('/forgot-password')
  })

  it('UX-10 what is no address is said on the sign-in page, which keeps it', async () => {
    const browser = await asked(server, 'ada @example.org')
    expect(browser.page.status).toBe(400)
    expect(browser.page.h1).toBe('Sign in')
    expect(browser.page.text).toContain('value="ada @example.org"')
  })

  it('AA-01 over the mail caps the page waits all the same', async () => {
    const account = await createAccount(server)
    const headers = elsewhere()
    const browser = new Browser(server.origin, { headers })
    for (let mail = 0; mail < 5; mail += 1) await asked(server, account.email, { browser })
    expect(browser.page.words).toContain(account.email)
    await server.inbox.next(account.email)
    expect(await server.inbox.mails(account.email)).toHaveLength(3)
  })

  it('"remember this device" on the sign-in page counts for the sign-in by code', async () => {
    const account = await createAccount(server)
    const browser = await asked(server, account.email, { remember: true })
    await browser.submit('/email-code', { code: await server.inbox.code(account.email) })
    const [session] = await server.context.sessions.list(account.id)
    expect(session?.isRemembered).toBe(true)
  })
})

describe('one code, many askers', () => {
  it('EM-01 fifty at once over two instances sign in once', async () => {
    await using cluster = await startCluster(2, { signIn: ALL, config: { trustedProxyHops: 1 } })
    const [one] = cluster.instances
    if (!one) throw new Error('no instance')
    const account = await createAccount(one)
    const browser = await asked(cluster, account.email)
    const code = await one.inbox.code(account.email)
    const { action, fields } = browser.page.form('/email-code')
    const typed = Object.fromEntries(fields.map(({ name, value }) => [name, value]))
    await Promise.all(
      Array.from({ length: 50 }, () => browser.copy().post(action, { ...typed, code })),
    )
    const { rows } = await one.context.database.pool.query(
      'select count(*)::int as count from session where account_id = $1',
      [account.id],
    )
    expect(rows).toEqual([{ count: 1 }])
  })
})
