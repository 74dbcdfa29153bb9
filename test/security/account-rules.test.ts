import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { canonicalEmail } from '../../src/accounts/canonical-email.ts'
import { ensureWayStays, recount } from '../../src/accounts/factors/ways.ts'
import { findForResend } from '../../src/accounts/pending-sign-ups.ts'
import { callOff } from '../../src/accounts/recovery/hold-rows.ts'
import { PendingSignUp } from '../../src/entities/index.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey } from '../support/passkeys.ts'
import { ORIGIN } from '../support/people.ts'
import { proveMailbox, recoverWith, report } from '../support/recovering.ts'
import { startServer, type TestServer } from '../support/server.ts'

const PASSWORD = 'twelve quiet otters sail home'

describe('the rules of what an account has', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({
      signIn: { methods: ['password', 'passkey', 'email-code'], trustedDeviceDays: 30 },
    })
  })
  afterAll(() => server.stop())

  const sql = async (text: string, values: unknown[] = []) =>
    (await server.context.database.pool.query(text, values)).rows
  const em = () => server.context.database.em.fork()
  const tokens = (accountId: string, purpose: string) =>
    sql('select from "verification_token" where "subject_id" = $1 and "purpose" = $2', [
      accountId,
      purpose,
    ])
  async function link(accountId: string, { isDisabled = false, isSuspended = false } = {}) {
    const provider = `p-${randomUUID().slice(0, 8)}`
    await sql(
      `insert into "provider" ("id", "name", "kind", "client_id", "scopes", "created_at", "updated_at", "disabled_at")
       values ($1, 'P', 'oidc', 'x', '{}', now(), now(), case when $2 then now() end)`,
      [provider, isDisabled],
    )
    await sql(
      `insert into "identity" ("id", "account_id", "provider_id", "issuer", "subject", "linked_at", "linked_by", "suspended_at")
       values (gen_random_uuid(), $1, $2, 'https://op.example', $3, now(), 'link', case when $4 then now() end)`,
      [accountId, provider, randomUUID(), isSuspended],
    )
  }
  async function trust(accountId: string): Promise<void> {
    await sql(
      `insert into "known_device" ("digest", "account_id", "created_at", "last_seen_at", "trusted_until", "trusted_version", "trusted_agent")
       values (sha256($1::uuid::text::bytea), $1::uuid, now(), now(), now() + interval '1 day', (select "credential_version" from "account" where "id" = $1::uuid), 'x')`,
      [accountId],
    )
  }
  const trusts = async (accountId: string) =>
    (
      await sql(
        'select from "known_device" where "account_id" = $1 and "trusted_until" is not null',
        [accountId],
      )
    ).length

  it('TF-08 a recovery that the mailbox alone began ends where the account takes two factors by then', async () => {
    const account = await createAccount(server)
    const browser = await proveMailbox(server, account.email)
    expect(browser.page.url.pathname).toBe('/recover/new')
    expect(await tokens(account.id, 'recover_grant')).toHaveLength(1)
    await givePasskey(server, account)
    expect(await tokens(account.id, 'recover_grant')).toEqual([])
    expect((await browser.submit('/recover/new', { password: PASSWORD })).status).toBe(400)
  })

  it('PK-08 the last way in is not a mailed code that the account cannot begin with', async () => {
    const account = await createAccount(server, { password: null })
    const held = await givePasskey(server, account)
    await sql('update "passkey" set "suspended_at" = now() where "id" = $1', [held.passkey.id])
    const second = await givePasskey(server, account)
    const change = { origin: ORIGIN }
    await expect(
      server.context.passkeys.remove(account.id, second.passkey.id, change),
    ).rejects.toMatchObject({ code: 'last_way_in' })
  })

  it('TF-05 the last way in is no identity that waits, and none of a provider that is disabled', async () => {
    const { signInPolicy } = server.context
    const policy = {
      ...signInPolicy,
      offers: (id: string) => id !== 'email-code' && id !== 'password',
    } as typeof signInPolicy
    for (const [identity, stays] of [
      [{}, true],
      [{ isDisabled: true }, false],
      [{ isSuspended: true }, false],
    ] as const) {
      const account = await createAccount(server)
      await link(account.id, identity)
      const judged = em().transactional((tx) => ensureWayStays(tx, account.id, policy))
      if (stays) await judged
      else await expect(judged).rejects.toMatchObject({ code: 'last_way_in' })
    }
  })

  it('PW-10 a code to sign in with ends with all sign-ins', async () => {
    const account = await createAccount(server)
    await server.context.signInCodes.request({ email: account.email, binding: 'x' }, ORIGIN)
    expect(await tokens(account.id, 'sign_in')).toHaveLength(1)
    await server.context.sessions.endAll(account.id)
    expect(await tokens(account.id, 'sign_in')).toEqual([])
  })

  it('RL-06 unlock forgets wrong mailed codes as well', async () => {
    const { id, email } = await createAccount(server)
    for (const subject of [
      `sign-in-code:${email}`,
      `code:recover:${email}`,
      `code:reset_password:${email}`,
    ])
      await sql(
        `insert into "attempt_counter" ("subject", "factor", "failures", "window_started_at", "updated_at") values (sha256($1::bytea), 'mailed-code', 10, now(), now())`,
        [Buffer.from(subject)],
      )
    expect(await server.context.lockouts.lift(id)).toBe(true)
    const left = await sql(
      `select from "attempt_counter" where "subject" in (sha256($1::bytea), sha256($2::bytea), sha256($3::bytea))`,
      [`sign-in-code:${email}`, `code:recover:${email}`, `code:reset_password:${email}`].map(
        (subject) => Buffer.from(subject),
      ),
    )
    expect(left).toEqual([])
  })

  it('a sign-up that is one of several keeps its invitation when its code is asked for anew', async () => {
    const email = canonicalEmail('several@example.org')
    if (!email) throw new Error('no address')
    const invitationId = randomUUID()
    for (const name of ['Ada', 'Bea'])
      await em().insert(PendingSignUp, {
        id: randomUUID(),
        email,
        name,
        locale: null,
        passwordHash: 'x',
        clientId: null,
        invitationId,
        createdAt: new Date(),
        expiresAt: new Date(Date.now() + 60_000),
      })
    const found = await findForResend(em(), email)
    expect(
      await sql('select "invitation_id" from "pending_sign_up" where "id" = $1', [found?.id]),
    ).toEqual([{ invitation_id: invitationId }])
  })

  it('UX-28 a recovery whose time is over is not called off', async () => {
    const { id } = await createAccount(server)
    const { recoveryHolds } = server.context
    const account = await server.context.administration.find(id)
    for (const [age, isCalledOff] of [
      ['0 days', true],
      ['9 days', false],
    ] as const) {
      await sql('delete from "verification_token" where "subject_id" = $1', [id])
      await em().transactional((tx) => recoveryHolds.begin(tx, account, { seconds: 86_400 }))
      await sql(
        `update "verification_token" set "expires_at" = "expires_at" - $2::interval where "subject_id" = $1`,
        [id, age],
      )
      expect(await em().transactional((tx) => callOff(tx, id))).toBe(isCalledOff)
      expect(await tokens(id, 'recovery_hold')).toEqual([])
    }
  })

  it('TF-07 a report and a recovery end the trust in devices; one more identity does not', async () => {
    const [reported, recovered, linked] = [
      await createAccount(server),
      await createAccount(server),
      await createAccount(server),
    ]
    for (const { id } of [reported, recovered, linked]) await trust(id)
    const { trustedDevices } = await server.context.accountExport.collect(linked.id)
    expect(trustedDevices.map(({ userAgent }) => userAgent)).toEqual(['x'])
    await report(server, reported.id)
    expect(await trusts(reported.id)).toBe(0)
    await recoverWith(server, recovered.id, PASSWORD)
    expect(await trusts(recovered.id)).toBe(0)

    const { identities, administration } = server.context
    const provider = `p-${randomUUID().slice(0, 8)}`
    await sql(
      `insert into "provider" ("id", "name", "kind", "client_id", "scopes", "created_at", "updated_at") values ($1, 'P', 'oidc', 'x', '{}', now(), now())`,
      [provider],
    )
    const person = { issuer: 'https://op.example', subject: 'x', emailProven: false, amr: [] }
    const account = await administration.find(linked.id)
    await em().transactional((tx) =>
      identities.attach(tx, account, { providerId: provider, person, by: 'link' }, ORIGIN),
    )
    expect(await trusts(linked.id)).toBe(1)
    await em().transactional((tx) => recount(tx, linked.id))
    expect(await trusts(linked.id)).toBe(0)
  })
})
