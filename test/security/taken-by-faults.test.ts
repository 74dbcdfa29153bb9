import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { anyAddress, api, type Json, signIn, startApi, totp, withMfa } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, type NewClient, PASSWORD } from '../support/factories.ts'
import { enableMfa, enter, forgetStep } from '../support/people.ts'
import { type SignedInApp, signedInApp } from '../support/protocol.ts'
import type { TestServer } from '../support/server.ts'

type Outcome = Promise<{ status: number; body?: Json }>
/** Makes somebody ready, and returns the one request that is repeated after a fault. */
type Flow = () => Promise<() => Outcome>

const NEW_PASSWORD = 'ember quilt nine lantern'
type Operation = 'insert' | 'update' | 'delete'

let server: TestServer
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

const sql = (text: string, values: unknown[] = []) =>
  server.context.database.pool.query(text, values)
const isDone = (status: number): boolean => status >= 200 && status < 400

/** The table refuses this kind of change from now on, as while somebody holds a lock on it. */
async function refuse(table: string, operation: Operation): Promise<void> {
  await sql(`create or replace function test_refusal() returns trigger language plpgsql as
    'begin raise exception ''canceling statement due to lock timeout'' using errcode = ''55P03''; end'`)
  await sql(
    `create trigger test_refusal before ${operation} on "${table}" for each statement execute function test_refusal()`,
  )
}
const allow = () => sql('drop function if exists test_refusal() cascade')
afterEach(allow)

/** Which kinds of change of which tables one request makes, by what its statements set off. */
async function changesOf(request: () => Promise<unknown>): Promise<[string, Operation][]> {
  await sql('create table test_change ("table" name, "operation" text)')
  await sql(`create function test_noted() returns trigger language plpgsql as
    'begin insert into test_change values (tg_table_name, lower(tg_op)); return null; end'`)
  for (const table of await tables())
    await sql(
      `create trigger test_noted after insert or update or delete on "${table}" for each statement execute function test_noted()`,
    )
  await request()
  await server.context.audit.flush()
  const noted = 'select distinct "table", "operation" from test_change order by 1, 2'
  const { rows } = await sql(noted)
  await sql('drop function test_noted() cascade')
  await sql('drop table test_change')
  return (rows as { table: string; operation: Operation }[]).map((row) => [
    row.table,
    row.operation,
  ])
}

async function tables(): Promise<string[]> {
  const { rows } = await sql(
    `select "tablename" as "name" from "pg_tables" where "schemaname" = 'public' order by 1`,
  )
  return (rows as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => !name.includes('migration') && name !== 'test_change')
}

/** Signed in to once: a sign-in for every fault would be too many from one address. */
const apps = new Map<string, Promise<SignedInApp>>()
function appOf(name: string, options: NewClient = {}): Promise<SignedInApp> {
  const known = apps.get(name) ?? signedInApp(server, options)
  apps.set(name, known)
  return known
}

async function withFactor() {
  const account = await createAccount(server)
  const signedIn = await signIn(server, { email: account.email, password: PASSWORD })
  const { secret, recoveryCodes } = await withMfa(server, signedIn)
  await forgetStep(server, account.id)
  const challenge = async (): Promise<string> =>
    (await api(server, 'POST /sign-in/email', { email: account.email, password: PASSWORD })).body
      .token
  return { ...account, ...signedIn, secret, recoveryCodes, challenge }
}

const flows: Readonly<Record<string, Flow>> = {
  'a sign-in by the API with a code of the app': async () => {
    const { email, secret, challenge } = await withFactor()
    const body = { email, token: await challenge(), code: await totp(secret) }
    return () => api(server, 'POST /sign-in/email', body)
  },
  'a sign-in by the API with a recovery code': async () => {
    const { email, recoveryCodes, challenge } = await withFactor()
    const body = { email, token: await challenge(), code: recoveryCodes[0] }
    return () => api(server, 'POST /sign-in/email', body)
  },
  'a sign-in on the pages with a code of the app': async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const browser = new Browser(server.origin, { headers: { 'x-forwarded-for': anyAddress() } })
    await browser.visit('/account')
    const page = await enter(browser, { ...account, password: PASSWORD })
    const csrf = page.form('/mfa').fields.find(({ name }) => name === '_csrf')?.value ?? ''
    const code = await authenticator.code()
    return () => browser.post(page.url, { _csrf: csrf, code }, { follow: false })
  },
  'a second proof at the API': async () => {
    const { token, secret } = await withFactor()
    const body = { code: await totp(secret) }
    return () => api(server, 'POST /verification', body, { token })
  },
  'turning two-step sign-in on': async () => {
    const { email } = await createAccount(server)
    const { token } = await signIn(server, { email, password: PASSWORD })
    const begun = (await api(server, 'POST /enable/mfa', {}, { token })).body
    const body = { token: begun.token, code: await totp(begun.secret) }
    return () => api(server, 'POST /enable/mfa', body, { token })
  },
  'turning two-step sign-in off with a recovery code': async () => {
    const { token, recoveryCodes } = await withFactor()
    const begun = (await api(server, 'POST /disable/mfa', {}, { token })).body
    const body = { token: begun.token, code: recoveryCodes[0] }
    return () => api(server, 'POST /disable/mfa', body, { token })
  },
  'a new password with a code of the app': async () => {
    const { token, email, secret } = await withFactor()
    const { tokenId } = (
      await api(server, 'PATCH /edit/password', { current_password: PASSWORD }, { token })
    ).body
    const body = { email, tokenId, password: NEW_PASSWORD, code: await totp(secret) }
    return () => api(server, 'PATCH /edit/password', body, { token })
  },
  'deletion of the account': async () => {
    const { email } = await createAccount(server)
    const { token } = await signIn(server, { email, password: PASSWORD })
    return () => api(server, 'DELETE /user', {}, { token })
  },
  'a refresh at the API': async () => {
    const { email } = await createAccount(server)
    const { refreshToken } = await signIn(server, { email, password: PASSWORD })
    return () => api(server, 'PATCH /user/refresh', { refresh_token: refreshToken })
  },
  'a refresh of an app without a secret': async () => {
    const app = await appOf('refresh', { secret: null })
    const { body } = await app.redeem(await app.code())
    return () => app.refresh(body.refresh_token)
  },
  'a code of an app without a secret': async () => {
    const app = await appOf('public', { secret: null })
    const code = await app.code()
    return () => app.redeem(code)
  },
  'a code of an app with a secret': async () => {
    const app = await appOf('web')
    const code = await app.code()
    return () => app.redeem(code)
  },
}

describe('a fault takes nothing with it', () => {
  it.each(Object.entries(flows))(
    'F12 %s: after a table has refused for a moment, the same request succeeds',
    async (_what, prepare) => {
      const refused: string[] = []
      const lost: string[] = []
      for (const [table, operation] of await changesOf(await prepare())) {
        const ask = await prepare()
        await refuse(table, operation)
        const first = await ask()
        await allow()
        if (isDone(first.status)) continue
        refused.push(`${operation} ${table}`)
        const second = await ask()
        if (!isDone(second.status))
          lost.push(`${operation} ${table}: ${first.status}, then ${second.status}`)
      }
      expect(refused).not.toEqual([])
      expect(lost).toEqual([])
    },
    240_000,
  )

  it('TF-03 TF-09 a code that was spent by one challenge is refused to every other, also where what it was for broke', async () => {
    const { email, secret, recoveryCodes, challenge } = await withFactor()
    for (const code of [await totp(secret), recoveryCodes[0]]) {
      const [mine, other] = [await challenge(), await challenge()]
      await refuse('session', 'insert')
      expect((await api(server, 'POST /sign-in/email', { email, token: mine, code })).status).toBe(
        503,
      )
      await allow()
      expect(
        (await api(server, 'POST /sign-in/email', { email, token: other, code })).body.error,
      ).toBe('invalid_code')
      expect((await api(server, 'POST /sign-in/email', { email, token: mine, code })).status).toBe(
        200,
      )
      expect(
        (await api(server, 'POST /sign-in/email', { email, token: mine, code })).body.error,
      ).toBe('invalid_code')
    }
  })

  it('TF-12 the owner is told once of a recovery code whose sign-in broke and then went on', async () => {
    const { id, email, recoveryCodes, challenge } = await withFactor()
    const body = { email, token: await challenge(), code: recoveryCodes[0] }
    await refuse('session', 'insert')
    await api(server, 'POST /sign-in/email', body)
    await allow()
    expect((await api(server, 'POST /sign-in/email', body)).status).toBe(200)
    await server.context.audit.flush()
    const { rows } = await sql(
      `select count(*)::int as "count" from "audit_event" where "type" = 'recovery_code_used' and "account_id" = $1`,
      [id],
    )
    expect(rows).toEqual([{ count: 1 }])
    expect(await server.context.database.em.fork().count(Account, { id, mfaEnabled: true })).toBe(1)
  })
})
