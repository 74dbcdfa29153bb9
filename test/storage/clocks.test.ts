import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LIFETIMES } from '../../src/config/limits.ts'
import { createLogger } from '../../src/logger/logger.ts'
import { api, signedIn, startApi, totp, withMfa } from '../support/api.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { asAdmin } from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

/**
 * What the database takes for now is as many seconds from the truth: new connections find a function of that
 * name before PostgreSQL's.
 */
async function shift({ url }: TestDatabase, seconds: number): Promise<void> {
  await asAdmin(url, async (admin) => {
    for (const name of ['now', 'clock_timestamp'])
      await admin.query(
        `create or replace function public.${name}() returns timestamptz language sql stable as $$ select pg_catalog.${name}() + interval '${seconds} seconds' $$`,
      )
    const database = new URL(url).pathname.slice(1)
    await admin.query(`alter database ${database} set search_path = public, pg_catalog`)
  })
}

const PASSWORD = 'plum ladder seven harbour'

describe.each([
  ['behind', 900],
  ['ahead of', -900],
])('a server whose clock is a quarter of an hour %s the database’s', (_word, seconds) => {
  let database: TestDatabase
  let server: TestServer
  beforeAll(async () => {
    database = await createDatabase()
    await shift(database, seconds)
    server = await startApi({ database })
  })
  afterAll(async () => {
    await server.stop()
    await database.drop()
  })

  const left = async (table: string) => {
    const { rows } = await server.context.database.pool.query<{ left: number }>(
      `select extract(epoch from "expires_at" - now())::float8 as "left" from "${table}" order by "expires_at" desc limit 1`,
    )
    return rows[0]?.left ?? 0
  }
  const expectLeft = async (table: string, lifetime: number) => {
    const found = await left(table)
    expect(found).toBeGreaterThan(lifetime - 60)
    expect(found).toBeLessThanOrEqual(lifetime)
  }

  it('takes the fresh code of a sign-up, for as long as it says', async () => {
    const email = 'ada@example.org'
    const started = await api(server, 'POST /sign-up/email', {
      name: 'Ada Lovelace',
      email,
      password: PASSWORD,
    })
    expect(started.status).toBe(202)
    await expectLeft('pending_sign_up', LIFETIMES.pendingSignUp)
    await expectLeft('verification_token', LIFETIMES.code)
    const { userId, tokenId } = started.body
    const again = await api(server, 'POST /resend/verify/email', { email })
    expect(again.status).toBe(202)
    const code = await server.inbox.code(email)
    expect((await api(server, 'POST /verify/email', { code, userId, tokenId, email })).status).toBe(
      200,
    )
  })

  it('takes the fresh code of a reset', async () => {
    const { email } = await signedIn(server)
    const { tokenId } = (await api(server, 'PATCH /forgot/password', { email })).body
    const code = await server.inbox.code(email)
    const body = { email, password: 'ember quilt nine lantern', tokenId, code }
    expect((await api(server, 'PATCH /forgot/password', body)).status).toBe(200)
  })

  it('takes the code of a set-up and of a sign-in, and what is fresh stays so for ten minutes', async () => {
    const owner = await signedIn(server)
    await api(server, 'POST /enable/mfa', {}, { token: owner.token })
    await expectLeft('totp_credential', LIFETIMES.mfaEnrolment)
    const { secret } = await withMfa(server, owner)
    const { email, password, token } = owner
    const challenge = (await api(server, 'POST /sign-in/email', { email, password })).body.token
    await expectLeft('mfa_challenge', LIFETIMES.mfaChallenge)
    const signIn = { token: challenge, code: await totp(secret) }
    expect((await api(server, 'POST /sign-in/email', signIn)).status).toBe(200)

    const renew = () => api(server, 'POST /recovery-codes', {}, { token })
    expect((await renew()).status).toBe(200)
    await server.context.database.pool.query(
      `update "session" set "authenticated_at" = now() - interval '601 seconds', "second_proved_at" = now() - interval '601 seconds'`,
    )
    expect((await renew()).status).toBe(403)
  })

  it('ends a session when it is over, and erases an account after its days of grace', async () => {
    const { token, id } = await signedIn(server)
    const { rows } = await server.context.database.pool.query<{ left: number }>(
      `select extract(epoch from "expires_at" - now())::float8 as "left" from "session" where "account_id" = $1`,
      [id],
    )
    const { refreshTokenIdle } = server.config.lifetimes
    expect(Math.abs((rows[0]?.left ?? 0) - refreshTokenIdle)).toBeLessThan(60)
    expect((await api(server, 'DELETE /user', {}, { token })).status).toBe(202)
    const { rows: due } = await server.context.database.pool.query<{ left: number }>(
      `select extract(epoch from "delete_after" - now())::float8 as "left" from "account" where "id" = $1`,
      [id],
    )
    expect(Math.abs((due[0]?.left ?? 0) - LIFETIMES.deleteGrace)).toBeLessThan(60)
  })

  it('is not ready', async () => {
    expect((await fetch(`${server.origin}/health/ready`)).status).toBe(503)
    expect((await fetch(`${server.origin}/health/live`)).status).toBe(200)
  })
})

describe('clocks that drift apart', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createDatabase()
  })
  afterAll(() => database.drop())

  it('are told once when it begins and once when it ends, and over a minute nothing is served', async () => {
    const lines: { event?: string; secondsBehindDatabase?: number }[] = []
    const logger = createLogger('info', { write: (line) => void lines.push(JSON.parse(line)) })
    await shift(database, 0)
    await using server = await startServer({ database, logger })
    const ready = async () => (await fetch(`${server.origin}/health/ready`)).status
    const told = () =>
      lines.flatMap(({ event, secondsBehindDatabase: seconds }) =>
        event?.startsWith('clock.') ? [[event, seconds]] : [],
      )
    server.context.readiness.start()
    expect(await ready()).toBe(200)
    expect(told()).toEqual([])
    const steps = [
      [20, 200],
      [20, 200],
      [90, 503],
      [90, 503],
      [0, 200],
      [-90, 503],
    ] as const
    for (const [seconds, status] of steps) {
      await shift(database, seconds)
      await eventually(ready, status)
      await sleep(300)
      expect(await ready()).toBe(status)
    }
    expect(told()).toEqual([
      ['clock.differs', 20],
      ['clock.unusable', 90],
      ['clock.agrees', 0],
      ['clock.unusable', -90],
    ])
  })
})
