import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { api, canRefresh, isAlive, type Json, signIn, startApi } from '../support/api.ts'
import { createAccount } from '../support/factories.ts'
import { operator } from '../support/operator.ts'
import { type Account, enableMfa, signedIn } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'

describe.each(STORAGES)('grants in %s', (storage) => {
  let server: TestServer
  const shell = operator()
  beforeAll(async () => {
    server = await startApi({ storage })
  })
  afterAll(() => server.stop())

  const gatehouse = (...args: string[]) => shell.run(server, ['account', ...args])

  const told = (account: Account, what: string) => ({
    code: 0,
    stdout: `${account.email} ${what}.\n`,
    stderr: '',
  })
  const DISABLED = 'is disabled; every sign-in has ended'
  const signInStatus = async ({ email, password }: Account) =>
    (await api(server, 'POST /sign-in/email', { email, password })).status

  /**
   * A person who is signed in through both doors and to an app, with a code on its way; `look`
   * tells what of it still works.
   */
  async function everythingOpen() {
    const account = await createAccount(server)
    const { browser } = await signedIn(server, { account })
    const app = await relyingParty(server, { firstParty: true })
    const authorize = async () =>
      (await browser.visit(app.authorizationUrl({ scope: 'openid' }))).url
    const [first, code] = [await app.redeem(await authorize()), await authorize()]
    const mobile = await signIn(server, account)
    const works = (attempt: Promise<unknown>) =>
      attempt.then(
        () => true,
        () => false,
      )
    const look = async () => ({
      userinfo: await works(app.userinfo(first.access_token)),
      introspection: (await app.introspect(first.access_token)).active,
      refresh: await works(app.refresh(first.refresh_token ?? '')),
      code: await works(app.redeem(code)),
      api: await isAlive(server, mobile.token),
      apiRefresh: await canRefresh(server, mobile.refreshToken),
      session: (await browser.visit('/account')).words.includes(account.email),
    })
    return { account, look }
  }
  const all = (isOpen: boolean) => ({
    userinfo: isOpen,
    introspection: isOpen,
    refresh: isOpen,
    code: isOpen,
    api: isOpen,
    apiRefresh: isOpen,
    session: isOpen,
  })

  async function events(accountId: string): Promise<Json[]> {
    const { rows } = await server.context.database.pool.query(
      `select type, detail from audit_event where account_id = $1 and type = any('{account_disabled,account_enabled,mfa_disabled,sign_out_all}') order by seq`,
      [accountId],
    )
    return rows
  }

  describe('gatehouse account', () => {
    it('SE-07 is measured with what is open: it all works until somebody ends it', async () => {
      expect(await (await everythingOpen()).look()).toEqual(all(true))
    })

    it('SE-07 disable ends every artifact at once and lets nobody in; enable does', async () => {
      const { account, look } = await everythingOpen()
      expect(await gatehouse('disable', account.email.toUpperCase())).toEqual(
        told(account, DISABLED),
      )
      expect(await look()).toEqual(all(false))
      expect(await signInStatus(account)).toBe(401)
      expect((await gatehouse('show', account.id)).stdout).toMatch(/^status\tdisabled$/m)
      expect(await gatehouse('disable', account.id)).toEqual(told(account, DISABLED))

      expect(await gatehouse('enable', account.id)).toEqual(told(account, 'is enabled'))
      expect(await look()).toEqual(all(false))
      expect(await signInStatus(account)).toBe(200)
      const detail = { by: 'operator' }
      expect(await events(account.id)).toEqual([
        { type: 'account_disabled', detail },
        { type: 'account_enabled', detail },
      ])
    })

    it('SE-07 sign-out ends every artifact at once, and the person signs in again', async () => {
      const { account, look } = await everythingOpen()
      expect(await gatehouse('sign-out', account.id)).toEqual(
        told(account, 'is signed out everywhere'),
      )
      expect(await look()).toEqual(all(false))
      expect(await signInStatus(account)).toBe(200)
      expect(await events(account.id)).toMatchObject([{ type: 'sign_out_all' }])
    })

    it('SE-07 TF-12 remove-mfa ends every artifact at once and tells the owner; the password alone then does', async () => {
      const { account, look } = await everythingOpen()
      await enableMfa(server, account)
      expect(await signInStatus(account)).toBe(401)
      await server.inbox.next(account.email)
      expect(await gatehouse('remove-mfa', account.email)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('without a second step'),
        stderr: '',
      })
      expect(await look()).toEqual(all(false))
      expect((await server.inbox.link(account.email, '/report-compromise')).search).toMatch(
        /token=/,
      )
      expect(await signInStatus(account)).toBe(200)
      expect(await events(account.id)).toEqual([
        { type: 'mfa_disabled', detail: { by: 'operator' } },
      ])
      expect(await gatehouse('remove-mfa', account.email)).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^.+\.\n$/),
      })
    })

    it('an account that does not exist is one sentence and exit code 1; one about to be deleted stays so until it is kept', async () => {
      for (const [verb, name] of [
        ['show', 'nobody@example.org'],
        ['disable', crypto.randomUUID()],
        ['enable', 'not an address'],
      ])
        expect(await gatehouse(verb ?? '', name ?? '')).toEqual({
          code: 1,
          stdout: '',
          stderr: 'There is no account of that id or address.\n',
        })
      const { id } = await createAccount(server, { status: 'deleting' })
      expect(await gatehouse('disable', id)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^This account is about to be deleted.*\n$/),
      })
      expect((await gatehouse('show', id)).stdout).toMatch(/^status\tdeleting$/m)
      expect(await gatehouse('keep', id)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/ is kept; it is not erased\.\n$/),
        stderr: '',
      })
      expect((await gatehouse('show', id)).stdout).toMatch(/^status\tactive$/m)
      expect(await gatehouse('keep', id)).toMatchObject({
        code: 1,
        stderr: 'This account is not about to be deleted.\n',
      })
    })
  })
})
