import { beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { sqlOf } from '../support/database.ts'
import { createAccount } from '../support/factories.ts'
import { operator } from '../support/operator.ts'
import { givePasskey } from '../support/passkeys.ts'
import { type Account, age, enableMfa, forgetStep, signedIn } from '../support/people.ts'
import {
  comeBy,
  connect,
  FROM_ELSEWHERE,
  honestBefore,
  somebody,
} from '../support/upstream/coming.ts'
import { FakeGitHub } from '../support/upstream/fake-github.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createGitHub, createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

const CONNECTIONS = '/account/connections'

describe('providers that are connected to an account', () => {
  const server = useServer({ outgoing: TO_LOOPBACK })
  const op = HostileOp.use()
  const github = FakeGitHub.use()
  const shell = operator()
  honestBefore(op)
  const sql = sqlOf(server)
  const identitiesOf = (accountId: string) =>
    sql<{ provider_id: string; subject: string }>(
      'select provider_id, subject from identity where account_id = $1 order by provider_id',
      [accountId],
    )

  beforeAll(async () => {
    await createProvider(server, { issuer: op.issuer })
    await createGitHub(server, github)
  })

  it('UP-11 are connected, listed, used and disconnected, and each change is mailed', async () => {
    const { browser, account } = await signedIn(server)
    expect((await browser.visit(CONNECTIONS)).words).toContain(
      'No other provider opens this account',
    )
    const after = await connect(browser, op)
    expect([after.status, after.url.pathname]).toEqual([200, CONNECTIONS])
    expect(after.words).toContain('It is connected.')
    expect(after.words).toContain(String(op.person['email']))
    expect((await server.inbox.next(account.email)).text).toContain('This wasn’t me')

    const other = new Browser(server.origin)
    await other.visit('/account')
    expect((await comeBy(other, op)).url.pathname).toBe('/account')
    expect((await browser.visit('/account')).words).toContain('Acme')

    await browser.visit(CONNECTIONS)
    const removed = await browser.submit(`${CONNECTIONS}/remove`)
    expect(removed.words).toContain('It is disconnected.')
    expect(await identitiesOf(account.id)).toEqual([])
    const types = await sql<{ type: string }>(
      `select type from audit_event where account_id = $1 and type like 'identity%' order by seq`,
      [account.id],
    )
    expect(types.map(({ type }) => type)).toEqual(['identity_linked', 'identity_unlinked'])
  })

  it('come from GitHub, whose public address counts for nothing', async () => {
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    github.emails = null
    await comeBy(browser, github, 'github')
    expect(browser.page.url.pathname).toMatch(/\/arrival$/)
    await browser.submit('/arrival', { email: 'octo@example.net' })
    await browser.submit('/arrival-code', { code: await server.inbox.code('octo@example.net') })
    await browser.submit('/arrival', { name: 'Mona' })
    expect(browser.page.url.pathname).toBe('/account')
    expect(browser.page.words).toContain('Mona')
    expect(
      await sql(
        'select a.email from account a join identity i on i.account_id = a.id where i.subject = $1',
        ['583231'],
      ),
    ).toEqual([{ email: 'octo@example.net' }])
  })

  it('TF-05 are not the last way in that goes', async () => {
    op.person = somebody({ email_verified: true })
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    await comeBy(browser, op)
    await browser.submit('/arrival-code', {
      code: await server.inbox.code(String(op.person['email'])),
    })
    await browser.visit(CONNECTIONS)
    const page = await browser.submit(`${CONNECTIONS}/remove`)
    expect(page.status).toBe(409)
    expect(await sql('select 1 from identity where subject = $1', [op.person['sub']])).toHaveLength(
      1,
    )
  })

  it('SE-10 are not changed without a fresh sign-in of the highest level', async () => {
    const { browser, account } = await signedIn(server)
    await connect(browser, op)
    await age(server, account.id, 3600)
    await browser.visit(CONNECTIONS)
    const page = await browser.submit(`${CONNECTIONS}/remove`)
    expect(page.words).toContain('Confirm it is you')
    expect(await identitiesOf(account.id)).toHaveLength(1)
    const again = await browser.submit('/login', { password: account.password })
    expect(again.url.pathname).toBe(CONNECTIONS)

    const careful = await createAccount(server)
    const authenticator = await enableMfa(server, careful)
    const { browser: two } = await signedIn(server, { account: careful, authenticator })
    op.person = somebody()
    expect((await connect(two, op)).words).toContain('It is connected.')
    const third = new Browser(server.origin)
    await third.visit('/account')
    await comeBy(third, op)
    expect(third.page.url.pathname).toMatch(/\/mfa$/)
  })

  it('SE-10 UP-02 are not connected on the way back once the proof is old, or lacks the second factor', async () => {
    for (const isOver of [
      (account: Account) => age(server, account.id, 601),
      (account: Account) => givePasskey(server, account),
    ]) {
      op.person = somebody()
      const { browser, account } = await signedIn(server)
      await browser.visit(CONNECTIONS)
      const away = await browser.submit(`${CONNECTIONS}/acme/connect`)
      const back = await op.authorize(away.url)
      await isOver(account)
      expect((await browser.visit(back, FROM_ELSEWHERE)).step).toBe('login')
      expect(await identitiesOf(account.id)).toEqual([])
    }
  })

  it('UP-02 somebody else’s identity is not removed by its id', async () => {
    const { browser, account } = await signedIn(server)
    await connect(browser, op)
    const [{ id } = { id: '' }] = await sql<{ id: string }>(
      'select id from identity where account_id = $1',
      [account.id],
    )
    op.person = somebody()
    const { browser: thief } = await signedIn(server)
    await connect(thief, op)
    await thief.visit(CONNECTIONS)
    const form = thief.page.form(`${CONNECTIONS}/remove`)
    await thief.submit(form, { id })
    expect(await identitiesOf(account.id)).toHaveLength(1)
  })

  it('a suspended one lets nobody in until its owner connects it once more', async () => {
    const { browser, account } = await signedIn(server)
    await connect(browser, op)
    await sql('update identity set suspended_at = now() where account_id = $1', [account.id])
    const other = new Browser(server.origin)
    await other.visit('/account')
    expect((await comeBy(other, op)).words).toContain('Acme cannot sign you in here just now')
    expect((await browser.visit(CONNECTIONS)).words).toContain('Paused since')
    await connect(browser, op)
    await other.visit('/account')
    expect((await comeBy(other, op)).url.pathname).toBe('/account')
  })

  it('are noted in the session, with the name of the sign-in over there, after a second step, too', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const { browser } = await signedIn(server, { account, authenticator })
    await connect(browser, op)
    op.person = { ...op.person, sid: 'over-there' }
    const other = new Browser(server.origin)
    await other.visit('/account')
    await comeBy(other, op)
    await forgetStep(server, account.id)
    await other.submit('/mfa', { code: await authenticator.code() })
    expect(other.page.url.pathname).toBe('/account')
    expect(
      await sql(
        'select provider_id, upstream_sid, amr from session where account_id = $1 and provider_id is not null',
        [account.id],
      ),
    ).toEqual([
      {
        provider_id: 'acme',
        upstream_sid: 'over-there',
        amr: ['urn:gatehouse:amr:upstream', 'otp', 'mfa'],
      },
    ])
  })

  it('are shown to an operator who looks at the account, and whether one is suspended', async () => {
    const { browser, account } = await signedIn(server)
    await connect(browser, op)
    const show = async (...more: string[]) =>
      (await shell.run(server, ['account', 'show', account.email, ...more])).stdout
    expect(JSON.parse(await show('--json'))).toMatchObject({
      identities: [
        {
          provider: 'acme',
          issuer: op.issuer,
          subject: op.person['sub'],
          email: op.person['email'],
          suspended: false,
        },
      ],
    })
    await sql('update identity set suspended_at = now() where account_id = $1', [account.id])
    expect(await show()).toContain(`providers\tacme:${String(op.person['sub'])} (suspended)\n`)
  })

  it('LG-08 are in the export, and go with the account', async () => {
    const { browser, account } = await signedIn(server)
    await connect(browser, op)
    const text = (await browser.visit('/account/export')).text
    expect(JSON.parse(text)).toMatchObject({
      identities: [{ provider: 'acme', subject: op.person['sub'], email: op.person['email'] }],
    })
    await sql('delete from account where id = $1', [account.id])
    expect(await identitiesOf(account.id)).toEqual([])
  })
})
