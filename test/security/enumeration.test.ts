import { beforeAll, describe, expect, it } from '@jest/globals'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { note } from '../support/notes.ts'
import { relyingParty } from '../support/relying-party.ts'
import { seen } from '../support/seen.ts'
import { rankStatistic } from '../support/statistics.ts'
import { useServer } from '../support/use-server.ts'
import { addresses, atLogin, atSignUp, submitLogin } from './attacks.ts'

const WRONG = 'never the right passphrase'
const elsewhere = addresses()

/** Of one length, so that lengths may be compared. */
const addressOf = (name: string) => `${name.padEnd(12, 'x')}@example.org`

describe('hosted pages and whether an account exists', () => {
  const server = useServer({ config: { trustedProxyHops: 1 } })
  const emails: Record<string, string> = {}
  beforeAll(async () => {
    for (const name of [
      'unknown',
      'known',
      'disabled',
      'deleting',
      'unproven',
      'no-password',
    ] as const)
      emails[name] = addressOf(name)
    await createAccount(server, { email: addressOf('known') })
    await createAccount(server, { email: addressOf('no-password'), password: null })
    for (const status of ['disabled', 'deleting'] as const)
      await createAccount(server, { email: addressOf(status), status })
    const browser = await atSignUp(server, { headers: elsewhere() })
    await browser.submit('/sign-up', {
      name: 'Una',
      email: addressOf('unproven'),
      password: PASSWORD,
    })
  })

  /** Does the same for every class of address, and expects the same sight. */
  async function compare(act: (email: string) => Promise<Page>): Promise<ReturnType<typeof seen>> {
    const sights: Record<string, ReturnType<typeof seen>> = {}
    for (const [name, email] of Object.entries(emails)) sights[name] = seen(await act(email), email)
    const reference = sights['unknown']
    if (!reference) throw new Error('no reference')
    for (const [name, sight] of Object.entries(sights))
      expect({ name, ...sight }).toEqual({ name, ...reference })
    return reference
  }

  it('EN-01 signing in with a wrong password', async () => {
    const sight = await compare(async (email) =>
      submitLogin(await atLogin(server, { headers: elsewhere() }), email, WRONG),
    )
    expect(sight).toMatchObject({ status: 401, path: '/interaction/UID/login' })
  })

  it('EN-01 signing in to an account that may not act, with its right password, is like a wrong one', async () => {
    for (const name of ['disabled', 'deleting']) {
      const page = await submitLogin(
        await atLogin(server, { headers: elsewhere() }),
        addressOf(name),
        PASSWORD,
      )
      const other = await submitLogin(
        await atLogin(server, { headers: elsewhere() }),
        addressOf('unknown'),
        PASSWORD,
      )
      expect(seen(page, addressOf(name))).toEqual(seen(other, addressOf('unknown')))
    }
  })

  it('EN-01 EN-03 signing up, and the page that asks for the code', async () => {
    const signUp = { name: 'Somebody', password: 'orchid tunnel maple sled' }
    const hop = await compare(async (email) =>
      (await atSignUp(server, { headers: elsewhere() })).submit(
        '/sign-up',
        { ...signUp, email },
        { follow: false },
      ),
    )
    expect(hop.status).toBe(303)
    await compare(async (email) =>
      (await atSignUp(server, { headers: elsewhere() })).submit('/sign-up', { ...signUp, email }),
    )
    const wrong = await compare(async (email) => {
      const browser = await atSignUp(server, { headers: elsewhere() })
      await browser.submit('/sign-up', { ...signUp, email })
      return browser.submit('/verify-email', { code: '123456' })
    })
    expect(wrong.status).toBe(400)
  })

  it('EN-01 asking for another code', async () => {
    const sight = await compare(async (email) => {
      const browser = await atSignUp(server, { headers: elsewhere() })
      await browser.submit('/sign-up', {
        name: 'Somebody',
        email,
        password: 'orchid tunnel maple sled',
      })
      return browser.submit('/resend', {})
    })
    expect(sight.status).toBe(200)
  })

  it('EN-01 forgetting a password, the page after it, a wrong code and another mail', async () => {
    const ask = async (email: string, options = {}) => {
      const browser = new Browser(server.origin, { headers: elsewhere() })
      await browser.visit('/forgot-password')
      return { browser, page: await browser.submit('/forgot-password', { email }, options) }
    }
    expect(
      await compare(async (email) => (await ask(email, { follow: false })).page),
    ).toMatchObject({ status: 303 })
    expect(await compare(async (email) => (await ask(email)).page)).toMatchObject({
      status: 200,
      path: '/reset-password',
    })
    const wrong = await compare(async (email) =>
      (await ask(email)).browser.submit('/reset-password', {
        code: '123456',
        password: 'orchid tunnel maple sled',
      }),
    )
    expect(wrong.status).toBe(400)
    await compare(async (email) => (await ask(email)).browser.submit('/reset-password/resend', {}))
  })

  it('EN-01 EN-02 recovering an account, the page for the code, a wrong code and another mail', async () => {
    const ask = async (email: string, options = {}) => {
      const browser = new Browser(server.origin, { headers: elsewhere() })
      await browser.visit('/recover')
      return { browser, page: await browser.submit('/recover', { email }, options) }
    }
    const hop = await compare(async (email) => (await ask(email, { follow: false })).page)
    expect(hop).toMatchObject({ status: 303 })
    const page = await compare(async (email) => (await ask(email)).page)
    expect(page).toMatchObject({ status: 200, path: '/recover/code' })
    const wrong = await compare(async (email) =>
      (await ask(email)).browser.submit('/recover/code', { code: '123456' }),
    )
    expect(wrong.status).toBe(400)
    await compare(async (email) => (await ask(email)).browser.submit('/recover/resend', {}))
    const { rows } = await server.context.database.pool.query<{ count: number }>(
      `select count(distinct "address")::int as "count" from "verification_token" where "purpose" = 'recover'`,
    )
    expect(rows[0]?.count).toBe(Object.keys(emails).length)
  })

  it('EN-04 no hint in a login_hint, in the error page, in the number of cookies', async () => {
    const app = await relyingParty(server)
    for (const prompt of ['login', 'create', 'select_account'])
      await compare((email) =>
        new Browser(server.origin, { headers: elsewhere() }).visit(
          app.authorizationUrl({ login_hint: email, prompt }),
        ),
      )
    const none = await compare((email) =>
      new Browser(server.origin, { headers: elsewhere() }).visit(
        app.authorizationUrl({ login_hint: email, prompt: 'none', state: 's', nonce: 'n' }),
      ),
    )
    expect(none.body).toBe('')
    await compare((email) =>
      new Browser(server.origin, { headers: elsewhere() }).visit(`/verify-email?token=${email}`),
    )
    await compare((email) =>
      new Browser(server.origin, { headers: elsewhere() }).visit(`/reset-password?token=${email}`),
    )
  })

  it('EN-04 whether an account has two factors is seen only with its password', async () => {
    const account = await createAccount(server, { email: addressOf('mfa') })
    await server.context.database.pool.query(
      'update account set mfa_enabled = true, strongest = 2 where id = $1',
      [account.id],
    )
    const page = await submitLogin(
      await atLogin(server, { headers: elsewhere() }),
      account.email,
      WRONG,
    )
    const other = await submitLogin(
      await atLogin(server, { headers: elsewhere() }),
      addressOf('nobody'),
      WRONG,
    )
    expect(seen(page, account.email)).toEqual(seen(other, addressOf('nobody')))
  })

  it('EN-03 a known address is told by mail what the page does not say', async () => {
    const account = await createAccount(server)
    const browser = await atSignUp(server, { headers: elsewhere() })
    const page = await browser.submit('/sign-up', {
      name: 'Mallory',
      email: account.email,
      password: 'orchid tunnel maple sled',
    })
    expect(page.url.pathname).toMatch(/verify-email$/)
    const { subject, text } = await server.inbox.next(account.email)
    expect(subject).toMatch(/already|account/i)
    expect(text).not.toMatch(/\b\d{6}\b|\d{3} \d{3}/)
    expect(text).not.toContain('Mallory')
  })

  it('EN-02 time tells the classes apart no better than chance (the statistic is reported; it fails only when it is blatant)', async () => {
    const known = await createAccount(server, { email: 'timing.known@example.org' })
    const samples = { known: [] as number[], unknown: [] as number[] }
    const measure = async (name: keyof typeof samples, email: string) => {
      const browser = await atLogin(server, { headers: elsewhere() })
      const began = performance.now()
      await submitLogin(browser, email, WRONG)
      samples[name].push(performance.now() - began)
    }
    for (let index = 0; index < 110; index += 1) {
      await server.context.database.pool.query('delete from attempt_counter')
      const pair = [
        () => measure('known', known.email),
        () => measure('unknown', `timing.n${index}@example.org`),
      ]
      if (index % 2) pair.reverse()
      for (const one of pair) await one()
    }
    const auc = rankStatistic(samples.known.slice(10), samples.unknown.slice(10))
    note('EN-02', `AUC ${auc.toFixed(3)} of 100 pairs (0.5 is chance)`)
    expect(auc).toBeGreaterThan(0.2)
    expect(auc).toBeLessThan(0.8)
  })
})
