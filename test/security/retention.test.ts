import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { requireEmail } from '../../src/accounts/canonical-email.ts'
import { verifyTrail } from '../../src/audit/verify.ts'
import { ADVISORY_LOCKS } from '../../src/config/advisory-locks.ts'
import { CAPS } from '../../src/config/limits.ts'
import { createLogger } from '../../src/logger/logger.ts'
import { JobRunner, SOON } from '../../src/retention/runner.ts'
import { api, signedIn, startApi, withMfa } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { givePasskey, passkeyOwner } from '../support/passkeys.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { dump } from './attacks.ts'

describe('retention', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startApi()
  })
  afterAll(() => server.stop())
  const sql = async (text: string, values: unknown[] = []) =>
    (await server.context.database.pool.query(text, values)).rows
  const count = async (table: string, where = 'true') =>
    Number((await sql(`select count(*) from "${table}" where ${where}`))[0].count)

  /** Something of every kind that expires, through the doors. */
  async function leaveTraces(): Promise<void> {
    const owner = await signedIn(server)
    await withMfa(server, owner)
    await api(server, 'POST /sign-in/email', { email: owner.email, password: owner.password })
    await api(server, 'POST /enable/mfa', {}, { token: (await signedIn(server)).token })
    await api(server, 'POST /sign-up/email', {
      name: 'Never',
      email: `never.${owner.id}@example.org`,
      password: PASSWORD,
    })
    await api(server, 'POST /sign-in/email', {
      email: `nobody.${owner.id}@example.org`,
      password: 'wrong wrong wrong',
    })
    const app = await relyingParty(server)
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl())
    const account = await createAccount(server)
    await browser.submit('/login', { username: account.email, password: PASSWORD })
    await app.redeem((await browser.submit('/consent', {}, { button: 'allow' })).url)
    await passkeyOwner(server)
    await leaveSomebodyAway()
    await server.context.worker.drain()
  }

  const newProvider = (): Promise<string> =>
    createProvider(server, {
      id: `op-${randomUUID()}`,
      issuer: 'https://op.example',
      client: { id: 'client', secret: 'secret' },
    })

  /** One person is away at a provider, and one is back. */
  async function leaveSomebodyAway(): Promise<void> {
    const provider = await newProvider()
    await sql(
      `insert into upstream_flow (state_digest, provider_id, purpose, binding, browser_digest, box, expires_at)
       values (sha256(random()::text::bytea), $1, 'sign_in', '', '', '', now() + interval '10 minutes')`,
      [provider],
    )
    await sql(
      `insert into upstream_arrival (id, provider_id, binding, box, expires_at)
       values (gen_random_uuid(), $1, '', '', now() + interval '10 minutes')`,
      [provider],
    )
  }

  const invite = (email: string) =>
    server.context.invitations.create({ email: requireEmail(email), isMailed: true, seconds: 60 })

  /** What expires by `expires_at`, and what by the time that it was last needed. */
  const EXPIRING = [
    'oidc_artifact',
    'session',
    'pending_sign_up',
    'verification_token',
    'mfa_challenge',
    'totp_credential',
    'upstream_flow',
    'upstream_arrival',
    'spent_challenge',
  ]
  /** Keys and secrets go when the operator says so; invitations wait for 90 days. */
  const NOT_AT_ONCE = ['client_secret', 'invitation', 'signing_key']

  it('LG-07 knows each table in which something expires', async () => {
    const tables = await sql(
      `select table_name as "name" from information_schema.columns where table_schema = 'public' and column_name = 'expires_at'`,
    )
    const names = tables.map(({ name }) => String(name))
    expect(new Set(names)).toEqual(new Set([...EXPIRING, ...NOT_AT_ONCE]))
  })

  it('LG-07 deletes nothing that is in force', async () => {
    await leaveTraces()
    const tables = [
      ...EXPIRING,
      'attempt_counter',
      'known_device',
      'outbox_message',
      'account',
      'consent',
      'recovery_code',
    ]
    const before = await Promise.all(tables.map(async (table) => [table, await count(table)]))
    for (const [table, rows] of before) expect([table, Number(rows) > 0]).toEqual([table, true])
    const done = await server.context.jobs.runOnce()
    expect(Object.values(done ?? {}).every((deleted) => deleted === 0)).toBe(true)
    expect(await Promise.all(tables.map(async (table) => [table, await count(table)]))).toEqual(
      before,
    )
  })

  it.each(EXPIRING)('LG-07 deletes what has expired: %s', async (table) => {
    await sql(
      `update "${table}" set "expires_at" = now() - interval '1 second' where "expires_at" is not null`,
    )
    await server.context.jobs.runOnce()
    expect(await count(table, '"expires_at" is not null and "expires_at" <= now()')).toBe(0)
  })

  it.each([
    ['known_device', 'last_seen_at', '401 days', '399 days'],
    ['outbox_message', 'delivered_at', '25 hours', '23 hours'],
    ['outbox_message', 'failed_at', '31 days', '29 days'],
    ['attempt_counter', 'updated_at', '31 days', '29 days'],
  ])(
    'LG-07 deletes rows of %s by %s after %s, and not after less',
    async (table, column, old, young) => {
      await leaveTraces()
      await sql(`update "${table}" set "${column}" = now() - $1::interval`, [young])
      const before = await count(table)
      expect(before).toBeGreaterThan(0)
      await server.context.jobs.runOnce()
      expect(await count(table)).toBe(before)
      await sql(`update "${table}" set "${column}" = now() - $1::interval`, [old])
      await server.context.jobs.runOnce()
      expect(await count(table)).toBe(0)
    },
  )

  it.each([
    ['they expired', 'expires_at'],
    ['they were taken back', 'revoked_at'],
  ])('LG-07 deletes invitations 90 days after %s, and not after less', async (_end, column) => {
    const { id } = await invite('guest@example.org')
    const ended = async (ago: string) => {
      await sql(`update invitation set "${column}" = now() - $1::interval`, [ago])
      await server.context.jobs.runOnce()
      return count('invitation', `id = '${id}'`)
    }
    expect(await ended('89 days')).toBe(1)
    expect(await ended('91 days')).toBe(0)
  })

  it('LG-07 RL-01 keeps a block for as long as it blocks, however old it is', async () => {
    const { email } = await createAccount(server)
    const attempt = () =>
      api(server, 'POST /sign-in/email', { email, password: 'wrong wrong wrong' })
    for (let index = 0; index < CAPS.passwordFailures; index += 1) await attempt()
    await sql(
      `update attempt_counter set updated_at = now() - interval '5 years', blocked_until = 'infinity' where blocked_until is not null`,
    )
    await server.context.jobs.runOnce()
    expect((await attempt()).status).toBe(429)
  })

  it('LG-07 deletes thousands of rows in batches', async () => {
    await sql(
      `insert into oidc_artifact (model, id_digest, payload, expires_at)
       select 'AccessToken', sha256(n::text::bytea), '{}', now() - interval '1 day' from generate_series(1, 3500) n`,
    )
    const done = await server.context.jobs.runOnce()
    expect(done?.['protocol artifacts']).toBeGreaterThanOrEqual(3500)
  })

  it('LG-07 goes on at once while there is more than a round takes, and waits for the next round then', async () => {
    const left = [10, 10, 10, 3, 0]
    let rounds = 0
    const job = { name: 'much', most: 10, run: async () => left[rounds++] ?? 0 }
    const deps = { pool: server.context.database.pool, logger: createLogger('silent'), jobs: [job] }
    await using runner = new JobRunner({ ...deps, pace: { ...SOON, intervalMs: 600_000 } })
    await runner.runOnce()
    runner.start()
    await eventually(() => rounds, 4, 30_000)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(rounds).toBe(4)
  })

  it('LG-07 what must go within a minute goes also while somebody writes to the audit trail', async () => {
    const writer = await server.context.database.pool.connect()
    await writer.query('begin')
    await writer.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.auditTrail])
    const done = await server.context.answerJobs.runOnce()
    await writer.query('rollback')
    writer.release()
    expect(done).toBeDefined()
  })

  it('LG-07 leaves a row that somebody holds for the next time', async () => {
    await sql(
      `insert into oidc_artifact (model, id_digest, payload, expires_at)
       select 'AccessToken', sha256(n::text::bytea), '{}', now() - interval '1 day' from generate_series(1, 50) n`,
    )
    const holder = await server.context.database.pool.connect()
    await holder.query('begin')
    await holder.query(
      'select 1 from "oidc_artifact" where "expires_at" <= now() limit 10 for update',
    )
    const done = await server.context.jobs.runOnce()
    await holder.query('rollback')
    holder.release()
    expect(done?.['protocol artifacts']).toBe(40)
    expect((await server.context.jobs.runOnce())?.['protocol artifacts']).toBe(10)
  })

  it('LG-07 on Redis, that a code was used is forgotten when no code can be that old', async () => {
    await using onRedis = await startServer({ storage: 'Redis' })
    const { pool } = onRedis.context.database
    const account = await createAccount(onRedis)
    const app = await relyingParty(onRedis, { firstParty: true })
    const browser = new Browser(onRedis.origin)
    await browser.visit(app.authorizationUrl())
    await app.redeem(
      (await browser.submit('/login', { username: account.email, password: PASSWORD })).url,
    )
    const uses = async () => (await pool.query('select 1 from "oidc_artifact"')).rowCount
    await onRedis.context.jobs.runOnce()
    expect(await uses()).toBe(1)
    await pool.query(`update "oidc_artifact" set "expires_at" = "expires_at" - interval '1 minute'`)
    await onRedis.context.jobs.runOnce()
    expect(await uses()).toBe(0)
  })

  it('LG-07 is done by one instance at a time, and a job that fails stops no other', async () => {
    const other = await startServer({
      database: { url: server.config.database.url },
      issuer: server.origin,
    })
    await using _stopped = other
    await sql(`update session set expires_at = now() - interval '1 second'`)
    const holder = await server.context.database.pool.connect()
    await holder.query('begin; lock table "oidc_artifact" in access exclusive mode')
    const running = server.context.jobs.runOnce()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await other.context.jobs.runOnce()).toBeUndefined()
    const done = await running
    await holder.query('rollback')
    holder.release()
    expect(done).not.toHaveProperty('protocol artifacts')
    expect(done).toHaveProperty('sessions')
    expect(await count('session', 'expires_at <= now()')).toBe(0)
    expect(await other.context.jobs.runOnce()).toBeDefined()
  })

  it('LG-08 erases an account that is due: nothing of the person is left, and the trail keeps a pseudonym that still verifies', async () => {
    const from = '198.51.100.77'
    const email = 'forget.me@example.org'
    const owner = await signedIn(server, { name: 'Forgettable Person', email })
    const agent = { 'user-agent': 'Forgettable Browser/9' }
    const call = (route: string, body: unknown) =>
      api(server, route, body, { token: owner.token, from, headers: agent })
    await call('PATCH /edit/basic', {
      phone_number: '+4930123456789',
      image_url: 'https://img.example/forgettable.png',
    })
    await api(
      server,
      'POST /sign-in/email',
      { email, password: 'wrong wrong wrong' },
      { from, headers: agent },
    )
    await withMfa(server, owner)
    await givePasskey(server, { ...owner, name: 'Forgettable Person' })
    await sql(
      `insert into identity (id, account_id, provider_id, issuer, subject, email, display_name, linked_at, linked_by)
       values (gen_random_uuid(), $1, $2, 'https://op.example', 'Forgettable-7', $3, 'Forgettable', now(), 'link')`,
      [owner.id, await newProvider(), email],
    )
    await invite(email)
    const deleted = await call('DELETE /user', {})
    expect(deleted.status).toBe(202)
    await server.context.worker.drain()

    await server.context.jobs.runOnce()
    expect(await count('account', `id = '${owner.id}'`)).toBe(1)
    await sql(`update account set delete_after = now() - interval '1 second' where id = $1`, [
      owner.id,
    ])
    expect((await server.context.jobs.runOnce())?.['accounts to erase']).toBe(1)
    await sql(
      `update outbox_message set delivered_at = now() - interval '2 days' where delivered_at is not null`,
    )
    // The trace of an ended session, a pseudonym too, lives ten minutes.
    await sql(`update oidc_artifact set expires_at = expires_at - interval '10 minutes'`)
    await server.context.jobs.runOnce()
    await server.context.audit.flush()

    const tables = await dump(server)
    for (const [table, text] of Object.entries(tables)) {
      for (const trace of [email, 'Forgettable', '30123456789', from])
        expect([table, trace, text.includes(trace)]).toEqual([table, trace, false])
      if (table !== 'audit_event') expect([table, text.includes(owner.id)]).toEqual([table, false])
    }
    const kept = await sql(
      'select type, ip, user_agent from audit_event where account_id = $1 order by seq',
      [owner.id],
    )
    expect(kept.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['sign_in', 'mfa_enabled', 'deletion_requested', 'account_erased']),
    )
    expect(kept.every(({ ip, user_agent: userAgent }) => ip === null && userAgent === null)).toBe(
      true,
    )
    expect(await verifyTrail(server.context.database.pool)).toMatchObject({ status: 'intact' })
  })

  it('LG-08 an account that cannot be erased stops no other, and is erased when it can', async () => {
    const accounts = [await createAccount(server), await createAccount(server)] as const
    for (const [index, { id }] of accounts.entries()) {
      await server.context.deletion.request(id, { ip: '192.0.2.1', userAgent: '', requestId: 'r' })
      await sql(
        `update account set delete_after = now() - make_interval(days => $2) where id = $1`,
        [id, 2 - index],
      )
    }
    const [stuck, other] = accounts
    await sql(
      `create function keep() returns trigger language plpgsql as 'begin raise exception ''disk full''; end'`,
    )
    await sql(
      `create trigger keep before delete on account for each row when (old.id = '${stuck.id}') execute function keep()`,
    )
    expect(await server.context.deletion.eraseDue()).toBe(1)
    expect(await count('account', `id = '${other.id}'`)).toBe(0)
    expect(await count('account', `id = '${stuck.id}'`)).toBe(1)
    await sql('drop function keep() cascade')
    expect(await server.context.deletion.eraseDue()).toBe(1)
    expect(await count('account', `id = '${stuck.id}'`)).toBe(0)
  })

  it('LG-08 an account that was kept by the mailed link is never erased', async () => {
    const { id } = await createAccount(server)
    await server.context.deletion.request(id, { ip: '192.0.2.1', userAgent: '', requestId: 'r' })
    await sql(
      `update account set delete_after = now() - interval '1 day', status = 'active' where id = $1`,
      [id],
    )
    await server.context.jobs.runOnce()
    expect(await count('account', `id = '${id}'`)).toBe(1)
  })
})
