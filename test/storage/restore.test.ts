import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { api, canRefresh, form, isAlive, signedIn, signIn, totp, withMfa } from '../support/api.ts'
import { run, settingsFor } from '../support/commands.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { createClient, createResource } from '../support/factories.ts'
import { asAdmin } from '../support/postgres.ts'
import { signedInApp } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'

// The drill runs commands, each a process that starts cold.
jest.setTimeout(180_000)

describe.each(STORAGES)('F24 a backup is put back, grants in %s', (storage) => {
  let database: TestDatabase
  let server: TestServer
  let folder: string
  const backup = `gatehouse_backup_${randomBytes(6).toString('hex')}`
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-restore-'))
    database = await createDatabase()
    server = await startServer({ database, storage, config: { trustedProxyHops: 1 } })
  })
  afterAll(async () => {
    await server.stop()
    await database.drop()
    await admin((client) => client.query(`drop database if exists ${backup}`))
    rmSync(folder, { recursive: true })
  })

  const name = () => new URL(database.url).pathname.slice(1)
  function admin<T>(
    work: (client: { query: (text: string, values?: unknown[]) => Promise<unknown> }) => Promise<T>,
  ): Promise<T> {
    const url = new URL(database.url)
    url.pathname = '/postgres'
    return asAdmin(url.href, work)
  }

  /** While nobody is connected. */
  async function exclusively(...statements: string[]): Promise<void> {
    await admin(async (client) => {
      await client.query(`alter database ${name()} with allow_connections false`)
      await client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1',
        [name()],
      )
      for (const statement of statements) await client.query(statement)
      await client.query(`alter database ${name()} with allow_connections true`)
    })
  }

  const gatehouse = (...args: string[]) => run(args, settingsFor(server, folder))

  it('F24 nothing that was revoked lives, nothing that was used is used again, and everybody signs in again', async () => {
    const person = await signedIn(server)
    const careful = await signedIn(server)
    const { secret } = await withMfa(server, careful)
    const app = await signedInApp(server, { refreshLeewaySeconds: 0 })
    const held = String((await app.redeem(await app.code())).body['refresh_token'])
    const code = await app.code()
    const forgot = await api(server, 'PATCH /forgot/password', { email: person.email })
    const mailed = await server.inbox.code(person.email)
    const { identifier } = await createResource(server)
    const keys = await generateKeyPair('ES256')
    const service = await createClient(server, {
      type: 'service',
      authMethod: 'private_key_jwt',
      jwks: { keys: [await exportJWK(keys.publicKey)] },
    })
    const assertion = async () => {
      const jwt = new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer(service.clientId)
      return jwt
        .setSubject(service.clientId)
        .setAudience(server.origin)
        .setIssuedAt()
        .setExpirationTime('4m')
        .sign(keys.privateKey)
    }
    const ask = async (at: TestServer, client_assertion: string) => {
      const kind = {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion,
      }
      return (
        await form(at, '/token', {
          grant_type: 'client_credentials',
          resource: identifier,
          ...kind,
        })
      ).status
    }

    await exclusively(`create database ${backup} template ${name()}`)

    const shown = await totp(secret)
    const useTotp = async (digits: string) => {
      const { email, password } = careful
      const { body } = await api(server, 'POST /sign-in/email', { email, password })
      return (await api(server, 'POST /sign-in/email', { token: body.token, code: digits })).status
    }
    expect(await useTotp(shown)).toBe(200)
    const once = await assertion()
    expect(await ask(server, once)).toBe(200)
    expect((await app.refresh(held)).status).toBe(200)
    expect((await app.redeem(code)).status).toBe(200)
    expect(
      (await api(server, 'DELETE /user/logout', undefined, { token: person.token })).status,
    ).toBeLessThan(300)
    expect(await isAlive(server, person.token)).toBe(false)
    const pending = `select from verification_token`
    await server.context.database.pool.query('delete from verification_token')

    await exclusively(`drop database ${name()}`, `create database ${name()} template ${backup}`)
    // Without the command, what was revoked or used is as it was; of grants in Redis only their
    // rows are back.
    expect((await server.context.database.pool.query(pending)).rowCount).toBeGreaterThan(0)
    if (storage === 'PostgreSQL') expect(await isAlive(server, person.token)).toBe(true)

    const { pool } = server.context.database
    await pool.query(
      `insert into "known_device" ("digest", "account_id", "created_at", "last_seen_at", "trusted_until", "trusted_version", "trusted_agent")
       values ('\\x01', $1, now(), now(), now() + interval '1 day', 0, 'x')`,
      [person.id],
    )
    await pool.query(
      `insert into "invitation" ("id", "digest", "created_at", "expires_at") values (gen_random_uuid(), '\\x01', now(), now() + interval '1 day')`,
    )

    const finished = await gatehouse('restore', 'finish')
    const revived = `select from "invitation" union all select from "known_device" where "trusted_until" is not null`
    expect((await pool.query(revived)).rowCount).toBe(0)
    expect(finished).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^[1-9]\d*\tsessions$/m),
    })
    await using restarted = await startServer({
      database,
      issuer: server.origin,
      config: { redis: server.config.redis, trustedProxyHops: 1 },
    })

    for (const at of [server, restarted]) {
      expect(await isAlive(at, person.token)).toBe(false)
      for (const token of [person.refreshToken, careful.refreshToken])
        expect(await canRefresh(at, token)).toBe(false)
    }
    expect(await useTotp(shown)).toBe(400)
    expect(await ask(restarted, once)).toBe(401)
    for (const answer of [await app.refresh(held), await app.redeem(code)])
      expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_grant'])
    const reset = {
      email: person.email,
      code: mailed,
      password: 'plum ladder seven harbour',
      ...forgot.body,
    }
    expect((await api(server, 'PATCH /reset/password', reset)).status).toBeGreaterThanOrEqual(400)
    expect((await app.browser.visit('/account')).step).toBe('login')

    await sleep(1100)
    expect(await ask(restarted, await assertion())).toBe(200)
    expect(await isAlive(server, (await signIn(server, person)).token)).toBe(true)
    expect((await gatehouse('audit', 'verify')).code).toBe(0)
    const events = await server.context.database.pool.query(
      `select detail from audit_event where type = 'restored'`,
    )
    expect(events.rows).toEqual([{ detail: { voidRecoveryCodes: false } }])
  })

  it('F24 may be repeated, and ends recovery codes where that is asked for', async () => {
    const epoch = async () =>
      (
        await server.context.database.pool.query<{ epoch: string }>(
          'select epoch from server_state',
        )
      ).rows[0]?.epoch
    const before = await epoch()
    const person = await signedIn(server)
    const { recoveryCodes } = await withMfa(server, person)
    expect(
      JSON.parse((await gatehouse('restore', 'finish', '--void-recovery-codes', '--json')).stdout),
    ).toMatchObject({
      sessions: expect.any(Number),
      'recovery codes': expect.any(Number),
    })
    expect(await epoch()).not.toBe(before)
    const { email, password } = person
    const { body } = await api(server, 'POST /sign-in/email', { email, password })
    expect(
      (await api(server, 'POST /sign-in/email', { token: body.token, code: recoveryCodes[0] }))
        .status,
    ).toBe(400)
  })
})
