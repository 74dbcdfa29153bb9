import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Provider } from '../../src/entities/index.ts'
import type { Browser } from '../support/browser.ts'
import { sqlOf } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { keptLog } from '../support/kept-log.ts'
import { signedIn } from '../support/people.ts'
import {
  atLogin,
  comeBy,
  connect,
  FROM_ELSEWHERE,
  honestBefore,
  landingOf,
  leaveFor,
  somebody,
} from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { changeProvider, createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

describe('attacks on the way to a provider and back', () => {
  const log = keptLog()
  const server = useServer({
    outgoing: TO_LOOPBACK,
    config: { trustedProxyHops: 1 },
    logger: log.logger,
  })
  const op = HostileOp.use()
  const other = HostileOp.use()
  honestBefore(op, { email_verified: true })
  const sql = sqlOf(server)
  const redeemed = (): number => op.site.asked.filter(({ url }) => url.pathname === '/token').length
  const isSignedIn = async (browser: Browser): Promise<boolean> =>
    (await browser.copy().visit('/account')).url.pathname === '/account'
  const reasons = async (): Promise<unknown[]> =>
    (
      await sql<{ reason: string }>(
        `select detail->>'reason' as reason from audit_event where type = 'upstream_refused' order by seq`,
      )
    ).map(({ reason }) => reason)
  const change = (id: string, changed: Partial<Provider>) => changeProvider(server, id, changed)

  beforeAll(async () => {
    const settings = { emailTrust: 'claim' }
    await createProvider(server, { issuer: op.issuer, settings })
    await createProvider(server, { id: 'other', name: 'Other', issuer: other.issuer, settings })
  })

  it('UP-03 a callback is good once', async () => {
    const browser = await atLogin(server)
    const back = await op.authorize(await leaveFor(browser))
    const again = browser.copy()
    await browser.visit(back, FROM_ELSEWHERE)
    expect(await isSignedIn(browser)).toBe(true)
    const before = redeemed()
    await again.visit(back, FROM_ELSEWHERE)
    expect(redeemed()).toBe(before)
    expect(await isSignedIn(again)).toBe(false)
  })

  it('UP-03 of twenty equal callbacks at once one redeems the code, and one account is made', async () => {
    const browser = await atLogin(server)
    const back = await op.authorize(await leaveFor(browser))
    const before = redeemed()
    const copies = Array.from({ length: 20 }, () => browser.copy())
    const pages = await Promise.all(copies.map((copy) => copy.visit(back, FROM_ELSEWHERE)))
    expect(redeemed() - before).toBe(1)
    expect(pages.filter(({ url }) => url.pathname === '/account')).toHaveLength(1)
    expect(await sql('select 1 from identity where subject = $1', [op.person['sub']])).toHaveLength(
      1,
    )
  })

  it('UP-07 a callback of another browser signs nobody in, with a flow of its own or without', async () => {
    const attacker = await atLogin(server)
    const planted = await op.authorize(await leaveFor(attacker))
    const victim = await atLogin(server)
    await victim.copy().visit(planted, FROM_ELSEWHERE)
    await leaveFor(victim)
    await victim.visit(planted, FROM_ELSEWHERE)
    expect(await isSignedIn(victim)).toBe(false)
  })

  it('UP-03 an arrival belongs to the sign-in that it was begun in', async () => {
    const attacker = await atLogin(server)
    const back = await op.authorize(await leaveFor(attacker))
    const arrival = await attacker.visit(back, { ...FROM_ELSEWHERE })
    expect(arrival.status).toBe(200)
    const mine = await atLogin(server)
    const theirs = await atLogin(server)
    const stop = await theirs.submit('/upstream/acme')
    const callback = await op.authorize(stop.url)
    const hop = await landingOf(theirs, callback)
    const of = new URL(hop, server.origin).search
    await mine.visit(`${mine.page.url.pathname.replace(/\/login$/, '')}/arrive${of}`)
    expect(await isSignedIn(mine)).toBe(false)
    expect((await theirs.visit(hop)).url.pathname).toBe('/account')
  })

  it('UP-06 the state of one provider is none at the callback of another', async () => {
    const browser = await atLogin(server)
    const back = await op.authorize(await leaveFor(browser))
    const before = redeemed()
    const mixed = new URL(back.href.replace('/upstream/acme/', '/upstream/other/'))
    await browser.copy().visit(mixed, FROM_ELSEWHERE)
    expect(redeemed()).toBe(before)
    expect(other.site.asked.filter(({ url }) => url.pathname === '/token')).toHaveLength(0)
    await browser.visit(back, FROM_ELSEWHERE)
    expect(await isSignedIn(browser)).toBe(true)
  })

  it.each([
    ['missing', undefined],
    ['foreign', 'https://evil.example'],
  ])('UP-06 an answer whose iss is %s is not redeemed', async (_name, iss) => {
    op.lies = { callback: { iss } }
    const browser = await atLogin(server)
    const before = redeemed()
    const page = await comeBy(browser, op)
    expect(redeemed()).toBe(before)
    expect(page.words).toContain('The answer from Acme was not valid')
    expect(page.step).toBe('login')
    await eventually(async () => (await reasons()).at(-1), 'callback')
  })

  it('UP-03 a state that nobody was given leads nowhere', async () => {
    const browser = await atLogin(server)
    await leaveFor(browser)
    const sid = 'a'.repeat(43)
    for (const state of ['', 'x', sid, `${sid}&state=${sid}`, '%00'])
      await browser.copy().visit(`/upstream/acme/callback?code=x&state=${state}`, FROM_ELSEWHERE)
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('UP-01 the same subject of another issuer is somebody else, were the provider pointed there', async () => {
    await comeBy(await atLogin(server), op)
    const person = op.person
    await change('acme', { issuer: other.issuer, version: 2 })
    other.person = { ...person, email: `another.${String(person['email'])}` }
    const browser = await atLogin(server)
    await comeBy(browser, other)
    await change('acme', { issuer: op.issuer, version: 3 })
    const rows = await sql<{ issuer: string; email: string }>(
      `select i.issuer, a.email from identity i join account a on a.id = i.account_id where i.subject = $1`,
      [person['sub']],
    )
    expect(new Set(rows.map(({ issuer }) => issuer)).size).toBe(2)
    expect(new Set(rows.map(({ email }) => email)).size).toBe(2)
  })

  it('UP-05 a provider that is disabled while somebody is there is not asked any more', async () => {
    const browser = await atLogin(server)
    const back = await op.authorize(await leaveFor(browser))
    await change('acme', { disabledAt: new Date() })
    const before = redeemed()
    const page = await browser.visit(back, FROM_ELSEWHERE)
    await change('acme', { disabledAt: null })
    expect(redeemed()).toBe(before)
    expect(page.words).toContain('That way to sign in is not offered any more')
    expect(page.step).toBe('login')
  })

  it('UP-05 nobody new comes by a provider that was closed to them meanwhile', async () => {
    const browser = await atLogin(server)
    const back = await op.authorize(await leaveFor(browser))
    await change('acme', { settings: { emailTrust: 'claim', signUp: 'never' } })
    const page = await browser.visit(back, FROM_ELSEWHERE)
    await change('acme', { settings: { emailTrust: 'claim' } })
    expect(page.words).toContain('Nobody here is known by your sign-in at Acme')
    expect(await sql('select 1 from account where email = $1', [op.person['email']])).toEqual([])
  })

  it('UP-05 nor was it closed to them only while they were asked for their name', async () => {
    op.person = somebody({ email_verified: true, name: undefined })
    const browser = await atLogin(server)
    await comeBy(browser, op)
    await change('acme', { settings: { emailTrust: 'claim', signUp: 'never' } })
    const page = await browser.submit('/arrival', { name: 'Grace' })
    await change('acme', { settings: { emailTrust: 'claim' } })
    expect(page.words).toContain('Nobody here is known by your sign-in at Acme')
    expect(await sql('select 1 from account where email = $1', [op.person['email']])).toEqual([])
  })

  it('UP-09 what a provider writes of an error is not shown', async () => {
    op.lies = {
      callback: { code: undefined, error: 'access_denied', error_description: 'CALL 0800 NOW' },
    }
    const page = await comeBy(await atLogin(server), op)
    expect(page.words).toContain('You cancelled at Acme')
    expect(page.text).not.toContain('0800')
  })

  it('UP-01 what the account says is not overwritten by a later sign-in', async () => {
    await comeBy(await atLogin(server), op)
    const before = op.person
    op.person = {
      ...before,
      email: 'changed@example.net',
      name: 'Changed',
      picture: 'https://x.example/p',
    }
    const page = await comeBy(await atLogin(server), op)
    expect(page.url.pathname).toBe('/account')
    expect(
      await sql(
        `select a.email, a.name, a.image_url as picture from account a join identity i on i.account_id = a.id where i.subject = $1`,
        [before['sub']],
      ),
    ).toEqual([{ email: before['email'], name: before['name'], picture: null }])
  })

  it('UP-10 a picture is named once and never fetched, and no page shows it', async () => {
    op.person = { ...op.person, picture: 'https://pictures.example/grace.png' }
    const page = await comeBy(await atLogin(server), op)
    expect(page.text).not.toContain('pictures.example')
    expect(
      await sql('select image_url as picture from account where email = $1', [op.person['email']]),
    ).toEqual([{ picture: 'https://pictures.example/grace.png' }])
    expect(op.site.asked.map(({ url }) => url.pathname)).not.toContain('/grace.png')
  })

  it('SE-07 accounts that let nobody in are refused alike', async () => {
    const seen: Record<string, string> = {}
    for (const [name, change] of Object.entries({
      disabled: `status = 'disabled'`,
      deleting: `status = 'deleting', delete_after = now() + interval '1 day'`,
      reported: 'must_reset_password = true',
      suspended: '',
    })) {
      op.person = somebody({ email_verified: true })
      await comeBy(await atLogin(server), op)
      await sql(
        change
          ? `update account set ${change} where email = $1`
          : `update identity set suspended_at = now() where email = $1`,
        [op.person['email']],
      )
      const browser = await atLogin(server)
      const page = await comeBy(browser, op)
      expect(await isSignedIn(browser)).toBe(false)
      seen[name] = `${page.status} ${page.words}`
    }
    expect(seen['disabled']).toContain('Acme cannot sign you in here just now')
    expect(new Set(Object.values(seen)).size).toBe(1)
  })

  it('UP-02 an identity of one account is not connected to another, and both owners hear of it', async () => {
    await comeBy(await atLogin(server), op)
    const first = String(op.person['email'])
    const { browser, account } = await signedIn(server)
    await server.inbox.next(first)
    const page = await connect(browser, op)
    expect(page.words).toContain('connected to another account already')
    expect((await server.inbox.next(account.email)).subject).toContain('could not be connected')
    expect((await server.inbox.next(first)).subject).toContain('Someone tried to use')
    expect(await sql('select 1 from identity where account_id = $1', [account.id])).toEqual([])
  })

  it('UP-02 a connection is finished in the session that asked for it, and in no other', async () => {
    const { browser: attacker } = await signedIn(server)
    await attacker.visit('/account/connections')
    const away = await attacker.submit('/account/connections/acme/connect')
    const back = await op.authorize(away.url)
    const hop = await landingOf(attacker, back)
    const { browser: victim, account } = await signedIn(server)
    await victim.visit(hop, FROM_ELSEWHERE)
    expect(await sql('select 1 from identity where account_id = $1', [account.id])).toEqual([])
  })

  it('UP-02 nothing is connected without the press, though the account is proven', async () => {
    const account = await createAccount(server, { email: String(op.person['email']) })
    const browser = await atLogin(server)
    await comeBy(browser, op)
    await browser.submit('/login', { username: account.email, password: account.password })
    const asked = browser.page
    expect(asked.h1).toBe('Connect Acme?')
    await browser.submit('/connect', {}, { button: 'skip' })
    expect(browser.page.url.pathname).toBe('/account')
    expect(await sql('select 1 from identity where account_id = $1', [account.id])).toEqual([])
  })

  it('UP-02 who signs in to another account than that of the address connects nothing', async () => {
    await createAccount(server, { email: String(op.person['email']) })
    const mallory = await createAccount(server)
    const browser = await atLogin(server)
    await comeBy(browser, op)
    const page = await browser.submit('/login', {
      username: mallory.email,
      password: mallory.password,
    })
    expect(page.url.pathname).toBe('/account')
    expect(await sql('select 1 from identity where subject = $1', [op.person['sub']])).toEqual([])
  })

  it('EM-11 a sign-up that waits for the address of a newcomer is over', async () => {
    const email = String(op.person['email'])
    const thief = await atLogin(server)
    await thief.follow(thief.page.links.find(({ pathname }) => pathname.endsWith('/sign-up')) ?? '')
    await thief.submit('/sign-up', { name: 'Thief', email, password: 'orchid tunnel maple sled' })
    await comeBy(await atLogin(server), op)
    expect(await sql('select 1 from pending_sign_up where email = $1', [email])).toEqual([])
    expect(
      await sql('select password_hash as hash from account where email = $1', [email]),
    ).toEqual([{ hash: null }])
  })

  it('UP-04 no code, token or state is in the log or the trail', async () => {
    await comeBy(await atLogin(server), op)
    const trail = JSON.stringify(await sql('select * from audit_event'))
    const secrets = [...op.secrets, ...other.secrets]
    expect(secrets.length).toBeGreaterThan(10)
    for (const secret of secrets) {
      expect(log.text()).not.toContain(secret)
      expect(trail).not.toContain(secret)
    }
  })
})
