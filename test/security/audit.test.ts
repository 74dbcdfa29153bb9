import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { AUDIT_TYPES, type AuditType, OPERATOR } from '../../src/audit/event.ts'
import { purgeAudit } from '../../src/audit/retention.ts'
import { GENESIS, hashOf, rowOf } from '../../src/audit/row.ts'
import { readTrail, type StoredRow } from '../../src/audit/trail.ts'
import { verifyTrail } from '../../src/audit/verify.ts'
import { CAPS, LIMITS } from '../../src/config/limits.ts'
import type { Pool } from '../../src/database/database.ts'
import { Account } from '../../src/entities/index.ts'
import { createLogger } from '../../src/logger/logger.ts'
import {
  anyAddress,
  api,
  type SignedIn,
  signedIn,
  startApi,
  totp,
  withMfa,
} from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const NEW = 'ember quilt nine lantern'
const FROM = '198.51.100.7'
const HEADERS = { 'user-agent': 'Audit Test/1.0' }

/** What one action left in the trail, and nothing else: no other traffic reaches the server meanwhile. */
async function recorded(server: TestServer, action: () => Promise<unknown>): Promise<StoredRow[]> {
  const { audit, database } = server.context
  await audit.flush()
  const before = Number(
    (await database.pool.query('select coalesce(max("seq"), 0) as "seq" from "audit_event"'))
      .rows[0].seq,
  )
  await action()
  await audit.flush()
  return rowsOf(database.pool, before)
}

async function rowsOf(pool: Pool, after = 0): Promise<StoredRow[]> {
  const rows: StoredRow[] = []
  for await (const row of readTrail(pool, after)) rows.push(row)
  return rows
}

const shown = ({ type, outcome }: StoredRow) =>
  outcome === 'success' ? type : `${type} ${outcome}`

describe('LG-01 what is recorded', () => {
  let server: TestServer
  const seen = new Set<string>()
  beforeAll(async () => {
    server = await startApi()
  })
  afterAll(() => server.stop())

  /** The secret of the link in the newest mails of an address. */
  async function linkIn(to: string, path: string): Promise<string> {
    for (;;) {
      const { text } = await server.inbox.next(to)
      const [, secret] = new RegExp(`/${path}\\?token=([\\w-]+)`).exec(text) ?? []
      if (secret) return secret
    }
  }

  /** Does it and names the events; the first is looked at more closely. */
  async function expectEvents(
    action: () => Promise<unknown>,
    types: readonly string[],
    about: Partial<StoredRow> = {},
  ) {
    const rows = await recorded(server, action)
    expect(rows.map(shown)).toEqual(types)
    for (const { type } of rows) seen.add(type)
    expect(rows[0]).toMatchObject(about)
    return rows
  }

  const call = (route: string, body?: unknown, who?: { token: string }) =>
    api(server, route, body, { from: FROM, headers: HEADERS, token: who?.token })
  const ok = async (
    answer: Promise<{ status: number; text: string; body: Record<string, string> }>,
  ) => {
    const got = await answer
    if (got.status >= 300) throw new Error(`${got.status} ${got.text}`)
    return got.body
  }

  it('LG-01 a sign-up, the proof of its address and a sign-in: who, from where, by which request', async () => {
    let begun: Record<string, string> = {}
    const email = 'new.person@example.org'
    await expectEvents(async () => {
      begun = await ok(call('POST /sign-up/email', { name: 'New', email, password: PASSWORD }))
    }, ['sign_up'])
    const verify = {
      userId: begun['userId'],
      tokenId: begun['tokenId'],
      email,
      code: await server.inbox.code(email),
    }
    const [verified] = await expectEvents(
      () => ok(call('POST /verify/email', verify)),
      ['email_verified'],
      {
        accountId: begun['userId'] ?? '',
        ip: FROM,
        userAgent: 'Audit Test/1.0',
      },
    )
    expect(verified?.requestId).toMatch(/^[0-9a-f-]{36}$/)
    const [signIn] = await expectEvents(
      () => ok(call('POST /sign-in/email', { email, password: PASSWORD })),
      ['sign_in'],
    )
    expect(signIn).toMatchObject({
      clientId: 'gatehouse-api',
      detail: { door: 'api', amr: ['pwd'] },
    })
    expect(signIn?.sessionId).toMatch(/./)
  })

  it('LG-01 a failed sign-in of an account, and of nobody: only a keyed digest of the address', async () => {
    const { email, id } = await createAccount(server)
    await expectEvents(
      () => call('POST /sign-in/email', { email, password: 'wrong wrong wrong' }),
      ['sign_in failure'],
      {
        accountId: id,
        detail: { factor: 'password', reason: 'credentials' },
      },
    )
    const [row] = await expectEvents(
      () => call('POST /sign-in/email', { email: 'nobody@example.org', password: PASSWORD }),
      ['sign_in failure'],
    )
    expect(row?.accountId).toBeNull()
    expect(JSON.stringify(row)).not.toContain('nobody')
    const [again, other] = await recorded(server, async () => {
      await call('POST /sign-in/email', { email: 'Nobody@Example.org', password: PASSWORD })
      await call('POST /sign-in/email', { email: 'another@example.org', password: PASSWORD })
    })
    expect(again?.detail['subject']).toBe(row?.detail['subject'])
    expect(other?.detail['subject']).not.toBe(row?.detail['subject'])
  })

  it('LG-01 a lockout, and the tries that it refuses', async () => {
    const { email, id } = await createAccount(server)
    const fail = () => call('POST /sign-in/email', { email, password: 'wrong wrong wrong' })
    for (let index = 1; index < CAPS.passwordFailures; index += 1) await fail()
    const rows = await expectEvents(fail, ['sign_in failure', 'lockout'])
    expect(rows[1]).toMatchObject({
      accountId: id,
      detail: { factor: 'password', failures: CAPS.passwordFailures },
    })
    await expectEvents(fail, ['sign_in failure'], {
      detail: { factor: 'password', reason: 'blocked' },
    })
  })

  it('LG-01 a limit of the network, once for a flood', async () => {
    const from = anyAddress()
    const rows = await recorded(server, async () => {
      for (let index = 0; index < LIMITS.forgot.max + 20; index += 1)
        await api(server, 'PATCH /forgot/password', { email: 'no address' }, { from })
    })
    expect(rows.map(shown)).toEqual(['rate_limited failure'])
    expect(rows[0]).toMatchObject({ ip: from, detail: { limit: 'forgot' } })
    seen.add('rate_limited')
  })

  describe('by someone who is signed in', () => {
    let owner: SignedIn
    beforeAll(async () => {
      owner = await signedIn(server)
    })

    it('LG-01 two-step sign-in: on, answered, refused, by recovery code, new codes, off', async () => {
      const begun = await ok(call('POST /enable/mfa', {}, owner))
      const secret = String(begun['secret'])
      await expectEvents(
        () => call('POST /enable/mfa', { token: begun['token'], code: '000000' }, owner),
        ['mfa_enabled failure'],
      )
      let codes: string[] = []
      await expectEvents(
        async () => {
          const done = await ok(
            call(
              'POST /enable/mfa',
              { token: begun['token'], code: await totp(secret, -1) },
              owner,
            ),
          )
          codes = done['recovery_codes'] as unknown as string[]
        },
        ['mfa_enabled'],
        { accountId: owner.id, ip: FROM },
      )

      const { email, password } = owner
      const challenge = async () =>
        (await call('POST /sign-in/email', { email, password })).body.token as string
      const answer = async (code: string) =>
        call('POST /sign-in/email', { code, token: await challenge() })
      await expectEvents(() => answer('000000'), ['second_factor failure'], { accountId: owner.id })
      await expectEvents(async () => ok(answer(await totp(secret))), ['second_factor', 'sign_in'], {
        detail: { method: 'totp' },
      })
      await expectEvents(() => ok(answer(codes[0] ?? '')), ['recovery_code_used', 'sign_in'])
      let fresh: string[] = []
      await expectEvents(async () => {
        fresh = (await ok(call('POST /recovery-codes', {}, owner)))[
          'recovery_codes'
        ] as unknown as string[]
      }, ['recovery_codes_regenerated'])
      const off = await ok(call('POST /disable/mfa', {}, owner))
      await expectEvents(
        () => ok(call('POST /disable/mfa', { token: off['token'], code: fresh[0] }, owner)),
        ['recovery_code_used', 'mfa_disabled'],
      )
    })

    it('LG-01 profile, data, address and password', async () => {
      await expectEvents(
        () => ok(call('PATCH /edit/basic', { name: 'Ada King' }, owner)),
        ['profile_changed'],
        {
          detail: { fields: ['name'] },
        },
      )
      await expectEvents(() => ok(call('GET /user/export', undefined, owner)), ['data_exported'])

      const email = 'moved@example.org'
      let begun: Record<string, string> = {}
      await expectEvents(async () => {
        begun = await ok(call('PATCH /edit/email', { email }, owner))
      }, ['email_change_requested'])
      const code = await server.inbox.code(email)
      await expectEvents(
        () => ok(call('PATCH /edit/email', { email, tokenId: begun['tokenId'], code }, owner)),
        ['email_changed'],
        {
          accountId: owner.id,
        },
      )

      const first = await ok(
        call('PATCH /edit/password', { current_password: owner.password }, owner),
      )
      const change = {
        email,
        password: NEW,
        tokenId: first['tokenId'],
        code: await server.inbox.code(email),
      }
      await expectEvents(
        () => ok(call('PATCH /edit/password', change, owner)),
        ['password_changed'],
        { accountId: owner.id, ip: FROM },
      )
    })
  })

  it('LG-01 an address change undone by its link', async () => {
    const owner = await signedIn(server)
    const email = `elsewhere.${owner.id}@example.org`
    const begun = await ok(call('PATCH /edit/email', { email }, owner))
    await ok(
      call(
        'PATCH /edit/email',
        { email, tokenId: begun['tokenId'], code: await server.inbox.code(email) },
        owner,
      ),
    )
    const secret = await linkIn(owner.email, 'undo-email')
    await expectEvents(() => server.context.emailUndo.undo(secret), ['email_change_undone'], {
      accountId: owner.id,
    })
  })

  it('LG-01 a forgotten password: asked for and set, by an account and by nobody', async () => {
    const { email, id } = await createAccount(server)
    let begun: Record<string, string> = {}
    await expectEvents(
      async () => {
        begun = await ok(call('PATCH /forgot/password', { email }))
      },
      ['password_reset_requested'],
      { accountId: id },
    )
    const code = await server.inbox.code(email)
    await expectEvents(
      () =>
        ok(
          call('PATCH /forgot/password', { email, password: NEW, tokenId: begun['tokenId'], code }),
        ),
      ['password_reset'],
      { accountId: id, ip: FROM },
    )
    await expectEvents(
      () => call('PATCH /forgot/password', { email: 'nobody@example.org' }),
      ['password_reset_requested'],
      {
        accountId: null,
      },
    )
  })

  it('LG-01 the end of one session, of this one, of all', async () => {
    const one = await signedIn(server)
    const second = await ok(
      call('POST /sign-in/email', { email: one.email, password: one.password }),
    )
    const third = await ok(
      call('POST /sign-in/email', { email: one.email, password: one.password }),
    )
    const id = (third['session'] as unknown as { id: string }).id
    await expectEvents(
      () => ok(call(`DELETE /user/sessions/${id}`, undefined, one)),
      ['session_ended'],
      {
        accountId: one.id,
        sessionId: id,
      },
    )
    await expectEvents(
      () => ok(call('DELETE /user/logout', undefined, { token: String(second['access_token']) })),
      ['sign_out'],
    )
    await expectEvents(
      () => ok(call('DELETE /user/logout-all', undefined, one)),
      ['sign_out_all'],
      {
        accountId: one.id,
        detail: { sessions: 1 },
      },
    )
  })

  it('LG-01 a recovery begun, stopped, begun again and finished', async () => {
    const { database, recoveryHolds, recovery, regaining } = server.context
    const origin = { ip: FROM, userAgent: 'x', requestId: 'y' }
    const { id: accountId } = await createAccount(server)
    const byOperator = { actor: OPERATOR, user: 'root' }
    const begin = (seconds: number, by?: typeof byOperator) =>
      database.em.fork().transactional(async (tx) => {
        const account = await tx.findOneOrFail(Account, { id: accountId })
        return recoveryHolds.begin(tx, account, { seconds, origin }, by)
      })
    await expectEvents(() => begin(3600), ['recovery_started'], {
      accountId,
      ip: FROM,
      detail: { hours: 1 },
    })
    await expectEvents(() => recoveryHolds.stopOwn(accountId), ['recovery_cancelled'], {
      accountId,
      detail: { reason: 'session' },
    })
    let link = ''
    const again = async () => {
      link = (await begin(0, byOperator)).linkSecret ?? ''
    }
    await expectEvents(again, ['recovery_started'], {
      accountId,
      detail: { by: 'operator', hours: 0, user: 'root' },
    })
    const { secret } = await recovery.spendLink(link)
    await expectEvents(
      () => regaining.withPassword(secret, 'twelve quiet otters sail home', origin),
      ['recovery_completed'],
      { accountId, ip: FROM },
    )
  })

  it('LG-01 a compromise reported from the mail, a deletion asked for, taken back, asked for again and done', async () => {
    const owner = await signedIn(server)
    await withMfa(server, owner)
    const report = await linkIn(owner.email, 'report-compromise')
    await expectEvents(() => server.context.events.report(report), ['compromise_reported'], {
      accountId: owner.id,
    })

    const other = await signedIn(server)
    const origin = { ip: FROM, userAgent: 'x', requestId: 'y' }
    await expectEvents(() => ok(call('DELETE /user', {}, other)), ['deletion_requested'], {
      accountId: other.id,
      ip: FROM,
    })
    const undo = await linkIn(other.email, 'keep-account')
    await expectEvents(() => server.context.deletion.undo(undo), ['deletion_cancelled'], {
      accountId: other.id,
    })
    await server.context.deletion.request(other.id, origin)
    await server.context.database.pool.query(
      `update account set delete_after = now() - interval '1 second' where id = $1`,
      [other.id],
    )
    await expectEvents(() => server.context.deletion.eraseDue(), ['account_erased'], {
      accountId: other.id,
    })
  })

  it('LG-01 consent given, refused and taken back; tokens issued, renewed, reused and revoked, each with its app', async () => {
    const account = await createAccount(server)
    const app = await relyingParty(server, { refreshLeewaySeconds: 0 })
    const about = { accountId: account.id, clientId: app.clientId }
    const browser = new Browser(server.origin)
    const url = () =>
      app.authorizationUrl({ scope: 'openid email offline_access', prompt: 'consent' })
    await browser.visit(url())
    await expectEvents(
      () => browser.submit('/login', { username: account.email, password: PASSWORD }),
      ['sign_in'],
      {
        ...about,
        detail: { door: 'pages', amr: ['pwd'] },
      },
    )
    await expectEvents(
      () => browser.submit('/consent', {}, { button: 'deny' }),
      ['consent_denied'],
      about,
    )
    await browser.visit(url())
    let back = new URL(server.origin)
    await expectEvents(
      async () => {
        back = (await browser.submit('/consent', {}, { button: 'allow' })).url
      },
      ['consent_granted'],
      { ...about, detail: { scopes: ['openid', 'email', 'offline_access'] } },
    )

    let first = ''
    await expectEvents(
      async () => {
        first = (await app.redeem(back)).refresh_token ?? ''
      },
      ['token_issued'],
      { ...about, detail: { grant: 'authorization_code' } },
    )
    let second = ''
    await expectEvents(
      async () => {
        second = (await app.refresh(first)).refresh_token ?? ''
      },
      ['token_refreshed'],
      about,
    )
    await expectEvents(() => app.revoke(second), ['token_revoked'], {
      ...about,
      detail: { kind: 'refresh_token' },
    })

    await browser.visit(url())
    const again = await app.redeem((await browser.submit('/consent', {}, { button: 'allow' })).url)
    await app.refresh(again.refresh_token ?? '')
    await expectEvents(
      () => app.refresh(again.refresh_token ?? '').catch(() => undefined),
      ['token_reuse_detected failure'],
      {
        ...about,
        detail: { kind: 'refresh_token' },
      },
    )
    await expectEvents(
      () => server.context.consents.revoke(account.id, app.clientId),
      ['consent_revoked'],
      about,
    )
  })

  it('LG-01 the tokens of the account API: renewed, reused', async () => {
    const owner = await signedIn(server)
    const renew = () => call('PATCH /user/refresh', { refresh_token: owner.refreshToken })
    await expectEvents(renew, ['token_refreshed'], {
      accountId: owner.id,
      clientId: 'gatehouse-api',
      sessionId: owner.sessionId,
    })
    await server.context.database.pool.query(
      `update oidc_artifact set consumed_at = consumed_at - interval '5 minutes' where consumed_at is not null`,
    )
    await expectEvents(renew, ['token_reuse_detected failure', 'session_ended'], {
      accountId: owner.id,
      sessionId: owner.sessionId,
    })
  })

  it('LG-01 a second device', async () => {
    const account = await createAccount(server)
    const enter = async () => {
      const browser = new Browser(server.origin)
      await browser.visit('/login')
      await browser.submit('/login', { username: account.email, password: PASSWORD })
    }
    await enter()
    const rows = await recorded(server, enter)
    expect(rows.map(shown)).toEqual(expect.arrayContaining(['new_device', 'sign_in']))
    for (const { type } of rows) seen.add(type)
  })

  it('LG-01 what operators do: clients, APIs, accounts, keys', async () => {
    const { administration, clients, resources, keys } = server.context
    let id = ''
    await expectEvents(
      async () => {
        id = (
          await clients.create({ name: 'App', type: 'web', redirectUris: ['https://a.example/cb'] })
        ).client.id
      },
      ['client_registered'],
      { accountId: null },
    )
    await expectEvents(() => clients.rotateSecret(id), ['client_changed'], {
      clientId: id,
      detail: { what: 'secret_rotated' },
    })
    await expectEvents(() => clients.disable(id), ['client_changed'], {
      clientId: id,
      detail: { what: 'disabled' },
    })
    await expectEvents(
      () =>
        resources.create({ identifier: 'https://api.audit.example/', name: 'API', scopes: ['a'] }),
      ['resource_registered'],
    )
    await expectEvents(() => clients.delete(id), ['client_deleted'], {
      clientId: id,
      detail: { consents: 0 },
    })
    const identifier = 'https://api.audit.example/'
    await expectEvents(
      () => resources.update(identifier, { name: 'Other' }),
      ['resource_changed'],
      { detail: { identifier, fields: ['name'] } },
    )
    await expectEvents(() => resources.delete(identifier), ['resource_deleted'], {
      detail: { identifier },
    })
    await expectEvents(
      () => server.context.definitions.turn(['website'], true),
      ['attribute_changed'],
      { detail: { by: 'operator', names: ['website'], what: 'turned_on' } },
    )
    const { id: accountId, email } = await createAccount(server)
    const byOperator = { accountId, detail: { by: 'operator' } }
    await expectEvents(() => administration.disable(email), ['account_disabled'], byOperator)
    await expectEvents(() => administration.enable(email), ['account_enabled'], byOperator)
    const { attempts, groups, lockouts, memberships } = server.context
    await attempts.reserve(`password:${email}`, 'password', { type: 'sign_in' })
    await expectEvents(
      () => server.context.accountCreation.create({ name: 'Ada King', email: 'made@example.org' }),
      ['account_created'],
      { detail: { by: 'operator' } },
    )
    await expectEvents(() => lockouts.lift(accountId), ['account_unlocked'], byOperator)
    let group = ''
    await expectEvents(
      async () => {
        group = (await groups.create({ name: 'staff' })).id
      },
      ['group_created'],
      { accountId: null },
    )
    const ofMember = { accountId, detail: { by: 'operator', group } }
    await expectEvents(() => memberships.add(group, accountId), ['group_member_added'], ofMember)
    await expectEvents(
      () => memberships.remove(group, accountId),
      ['group_member_removed'],
      ofMember,
    )
    await expectEvents(() => groups.delete('staff'), ['group_deleted'], {
      detail: { by: 'operator', group },
    })
    await expectEvents(() => keys.rotate('EdDSA'), ['key_rotated'], {
      detail: { alg: 'EdDSA', isEmergency: false },
    })
  })

  it('LG-04 writes who acted as it always did, so that older rows and older releases verify alike', () => {
    const at = new Date()
    const accountId = crypto.randomUUID()
    const event = { type: 'account_disabled', accountId } as const
    const written = rowOf({ ...event, detail: { by: 'operator' } }, at, undefined)
    const row = rowOf({ ...event, actor: OPERATOR }, at, undefined)
    expect(row).toEqual({
      ...written,
      originSalt: row.originSalt,
      originDigest: row.originDigest,
    })
    const { originDigest } = written
    expect(hashOf(1, GENESIS, { ...row, originDigest })).toBe(hashOf(1, GENESIS, written))
    expect(rowOf(event, at, undefined).detail).toEqual({})
  })

  it('LG-01 leaves no kind of event untried, but those of a refused sign-up, terms, invitations, passkeys, providers, a cut list, the start and the retention job, which have tests of their own', () => {
    const elsewhere: AuditType[] = [
      'device_trusted',
      'device_untrusted',
      'registration_refused',
      'terms_accepted',
      'invitation_created',
      'invitation_accepted',
      'invitation_revoked',
      'passkey_added',
      'passkey_renamed',
      'passkey_removed',
      'passkey_suspended',
      'passkey_confirmed',
      'identity_linked',
      'identity_unlinked',
      'upstream_refused',
      'upstream_logout',
      'provider_created',
      'provider_changed',
      'provider_deleted',
      'claims_truncated',
      'server_started',
      'audit_purged',
      'restored',
    ]
    expect(AUDIT_TYPES.filter((type) => !seen.has(type))).toEqual(elsewhere)
  })

  it('LG-02 holds no address, password, code, token or cookie of all that', async () => {
    await server.context.audit.flush()
    const { rows } = await server.context.database.pool.query<{ line: string }>(
      `select t::text as line from audit_event t`,
    )
    const trail = rows.map(({ line }) => line).join('\n')
    expect(trail.length).toBeGreaterThan(10_000)
    expect(trail).not.toMatch(
      /[\w.]+@[\w.]+|example\.org|plum ladder|ember quilt|wrong wrong|Bearer|Ada King/i,
    )
    // Random ids have no point, so none of them looks like a JWT; a digest may well hold six digits.
    expect(trail).not.toMatch(/eyJ[\w-]+\./)
    const codes = await server.context.database.pool.query(
      `select detail from audit_event where (detail - 'subject')::text ~ '[^0-9a-f][0-9]{6}[^0-9a-f]'`,
    )
    expect(codes.rows).toEqual([])
  })

  it('LG-01 shows a person their own events, page by page, without the traffic of apps', async () => {
    const owner = await signedIn(server)
    for (const name of ['One', 'Two', 'Three']) await ok(call('PATCH /edit/basic', { name }, owner))
    await call('PATCH /user/refresh', { refresh_token: owner.refreshToken })
    await server.context.audit.flush()
    const { activity } = server.context
    const first = await activity.listForAccount(owner.id, { limit: 2 })
    expect(first.map(({ type }) => type)).toEqual(['profile_changed', 'profile_changed'])
    const rest = await activity.listForAccount(owner.id, { limit: 10, before: first[1]?.seq })
    expect(rest.map(({ type }) => type)).toEqual(['profile_changed', 'sign_in'])
  })

  it('LG-04 is one chain after all of that', async () => {
    expect(await verifyTrail(server.context.database.pool)).toMatchObject({
      status: 'intact',
      first: 1,
    })
  })

  it('LG-01 carries every event of token requests without delay: nothing is awaited on their path', async () => {
    const machine = await relyingParty(server, {
      type: 'service',
    })
    const held = await server.context.database.pool.connect()
    await held.query('begin; lock table audit_event in access exclusive mode')
    try {
      expect((await machine.clientCredentials()).access_token).toMatch(/./)
    } finally {
      await held.query('rollback')
      held.release()
    }
    const { rows } = await server.context.database.pool.query(`select 1`)
    expect(rows).toHaveLength(1)
    await server.context.audit.flush()
    const last = await server.context.database.pool.query(
      `select type, client_id from audit_event order by seq desc limit 1`,
    )
    expect(last.rows).toEqual([{ type: 'token_issued', client_id: machine.clientId }])
  })
})

describe('LG-04 what holds the trail together', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
    const account = await createAccount(server)
    for (let index = 0; index < 20; index += 1)
      server.context.audit.record({
        type: 'sign_in',
        accountId: account.id,
        origin: { ip: '192.0.2.9', userAgent: 'Ünï\u0000code\ud800', requestId: `${index}` },
        detail: { z: 1, a: ['x', 'y'], m: true },
      })
    await server.context.audit.flush()
  })
  afterAll(() => server.stop())

  /** With the guard out of the way, as a superuser can. Everything is put back afterwards. */
  async function tampered(sql: string, values: unknown[] = []) {
    const { pool } = server.context.database
    await pool.query('create table kept as select * from audit_event')
    await pool.query('alter table audit_event disable trigger all')
    try {
      await pool.query(sql, values)
      return await verifyTrail(pool)
    } finally {
      await pool.query('delete from audit_event')
      await pool.query('insert into audit_event select * from kept')
      await pool.query('alter table audit_event enable trigger all')
      await pool.query('drop table kept')
    }
  }

  it('LG-04 verifies what was written, whatever characters it had', async () => {
    const verdict = await verifyTrail(server.context.database.pool)
    expect(verdict).toMatchObject({ status: 'intact', rows: 20, first: 1, head: { seq: 20 } })
  })

  it.each([
    ['an UPDATE', `update audit_event set type = 'sign_out' where seq = 3`],
    ['a DELETE', 'delete from audit_event where seq = 3'],
    ['a TRUNCATE', 'truncate audit_event'],
  ])('LG-04 the database refuses %s', async (_what, sql) => {
    await expect(server.context.database.pool.query(sql)).rejects.toThrow('append-only')
  })

  it.each([
    ['a type', `update audit_event set type = 'sign_out' where seq = 7`, 7],
    ['an outcome', `update audit_event set outcome = 'failure' where seq = 1`, 1],
    ['an account', `update audit_event set account_id = gen_random_uuid() where seq = 12`, 12],
    ['a time', `update audit_event set at = at + interval '1 ms' where seq = 9`, 9],
    ['an address', `update audit_event set ip = '203.0.113.1' where seq = 4`, 4],
    [
      'a detail',
      `update audit_event set detail = '{"z":2,"a":["x","y"],"m":true}' where seq = 5`,
      5,
    ],
    [
      'a removed address of an account that exists',
      `update audit_event set ip = null, user_agent = null, origin_salt = null where seq = 6`,
      6,
    ],
    ['a removed row', 'delete from audit_event where seq = 10', 10],
    ['removed first rows', 'delete from audit_event where seq <= 3', 4],
    [
      'swapped rows',
      `update audit_event set seq = case seq when 2 then 103 when 3 then 102 end where seq in (2, 3); update audit_event set seq = seq - 100 where seq > 100`,
      2,
    ],
    ['a hash', `update audit_event set hash = sha256('x') where seq = 20`, 20],
    [
      'a row of a forger who cannot build on the chain',
      `insert into audit_event select 21, at, type, outcome, account_id, client_id, session_id, ip, user_agent, request_id, detail, origin_salt, origin_digest, previous_hash, hash from audit_event where seq = 20`,
      21,
    ],
  ])('LG-04 finds %s and names the first broken row', async (_what, sql, seq) => {
    expect(await tampered(sql)).toMatchObject({ status: 'broken', seq })
    expect(await verifyTrail(server.context.database.pool)).toMatchObject({ status: 'intact' })
  })

  it('LG-04 a cut end is found by a head that was noted down elsewhere', async () => {
    const { pool } = server.context.database
    const verdict = await verifyTrail(pool)
    const head = verdict.status === 'intact' ? verdict.head : undefined
    expect(await verifyTrail(pool, head)).toMatchObject({ status: 'intact' })
    expect(await verifyTrail(pool, { seq: 25, hash: '00'.repeat(32) })).toMatchObject({
      status: 'broken',
      seq: 21,
    })
    expect(await verifyTrail(pool, { seq: 20, hash: '00'.repeat(32) })).toMatchObject({
      status: 'broken',
      seq: 20,
    })
  })

  it('LG-04 is one line whoever writes: two instances, transactions and batches at once', async () => {
    await using one = await startServer()
    const database = { url: one.config.database.url }
    await using two = await startServer({ database, issuer: one.origin })
    const writers = [one, two].flatMap(
      (
        {
          context: {
            audit,
            database: { em },
          },
        },
        instance,
      ) =>
        Array.from({ length: 15 }, (_, index) => {
          for (let n = 0; n < 10; n += 1)
            audit.record({ type: 'token_issued', clientId: `${instance}-${index}-${n}` })
          return em
            .fork()
            .transactional((tx) =>
              audit.append(tx, { type: 'key_rotated', clientId: `${instance}-${index}` }),
            )
        }),
    )
    await Promise.all(writers)
    await Promise.all([one, two].map(({ context }) => context.audit.flush()))
    expect(await verifyTrail(one.context.database.pool)).toMatchObject({
      status: 'intact',
      rows: 2 * 15 * 11,
      head: { seq: 330 },
    })
  })

  it('LG-04 a security change that cannot be recorded does not happen', async () => {
    const account = await createAccount(server)
    const { pool } = server.context.database
    const origin = { ip: '192.0.2.9', userAgent: '', requestId: 'r' }
    const state = async () =>
      (
        await pool.query(
          'select password_hash, email, status, mfa_enabled, must_reset_password, credential_version from account where id = $1',
          [account.id],
        )
      ).rows[0]
    const before = await state()
    await pool.query(
      `create function refuse() returns trigger language plpgsql as 'begin raise exception ''disk full''; end'`,
    )
    await pool.query(
      'create trigger broken before insert on audit_event for each row execute function refuse()',
    )
    try {
      const { passwords, deletion, keys, clients } = server.context
      await expect(passwords.replace(account.id, NEW)).rejects.toThrow('disk full')
      await expect(deletion.request(account.id, origin)).rejects.toThrow('disk full')
      await expect(keys.rotate('EdDSA')).rejects.toThrow('disk full')
      await expect(
        clients.create({ name: 'App', type: 'web', redirectUris: ['https://a.example/cb'] }),
      ).rejects.toThrow('disk full')
      expect(await state()).toEqual(before)
      expect(await clients.list()).toEqual([])
    } finally {
      await pool.query('drop trigger broken on audit_event')
      await pool.query('drop function refuse()')
    }
    await server.context.passwords.replace(account.id, NEW)
    expect(await state()).not.toEqual(before)
    expect(await verifyTrail(pool)).toMatchObject({ status: 'intact' })
  })

  it('LG-04 LG-07 what the retention job leaves can still be proven, and a cut that it did not make is found', async () => {
    await using own = await startServer()
    const { database, audit } = own.context
    for (let index = 0; index < 30; index += 1)
      audit.record({ type: 'sign_in', requestId: `${index}` } as never)
    await audit.flush()
    await database.pool.query(`alter table audit_event disable trigger all`)
    // As if the first twenty were 500 days old: written then, so with hashes of their own.
    const rows = await rowsOf(database.pool)
    const { hashOf, GENESIS } = await import('../../src/audit/row.ts')
    let previous = GENESIS
    for (const row of rows) {
      const at = new Date(row.at.getTime() - (row.seq <= 20 ? 500 * 86_400_000 : 0))
      const hash = hashOf(row.seq, previous, { ...row, at })
      await database.pool.query(
        'update audit_event set at = $2, previous_hash = $3, hash = $4 where seq = $1',
        [row.seq, at, Buffer.from(previous, 'hex'), Buffer.from(hash, 'hex')],
      )
      previous = hash
    }
    await database.pool.query(`alter table audit_event enable trigger all`)
    expect(await verifyTrail(database.pool)).toMatchObject({ status: 'intact', rows: 30, first: 1 })

    expect(await purgeAudit(database.em, audit, 400)).toBe(20)
    expect(await purgeAudit(database.em, audit, 400)).toBe(0)
    expect(await verifyTrail(database.pool)).toMatchObject({
      status: 'intact',
      rows: 11,
      first: 21,
    })
    audit.record({ type: 'sign_in' })
    await audit.flush()
    await database.pool.query(`alter table audit_event disable trigger all`)
    await database.pool.query(`delete from audit_event where seq = 21`)
    expect(await verifyTrail(database.pool)).toMatchObject({ status: 'broken', seq: 22 })
  })

  it('LG-04 events wait while the database is away and none is lost or doubled', async () => {
    await using own = await startServer({ logger: createLogger('silent') })
    const { audit, database } = own.context
    await database.pool.query('alter table audit_event rename to away')
    for (let index = 0; index < 5; index += 1) audit.record({ type: 'sign_in' })
    await expect(audit.flush()).rejects.toThrow()
    await database.pool.query('alter table away rename to audit_event')
    audit.record({ type: 'sign_out' })
    await audit.flush()
    expect(await verifyTrail(database.pool)).toMatchObject({ status: 'intact', rows: 6 })
  })

  it('LG-04 an event that PostgreSQL refuses is lost alone, and told: those around it are written, once', async () => {
    const lines: string[] = []
    await using own = await startServer({
      logger: createLogger('error', { write: (line) => void lines.push(line) }),
    })
    const { audit, database } = own.context
    for (let index = 0; index < 3; index += 1) {
      audit.record({ type: 'sign_in' })
      audit.record({ type: 'sign_up', accountId: 'no uuid' })
    }
    audit.record({ type: 'sign_out' })
    await audit.flush()
    expect((await rowsOf(database.pool)).map(({ type }) => type)).toEqual([
      'sign_in',
      'sign_in',
      'sign_in',
      'sign_out',
    ])
    expect(await verifyTrail(database.pool)).toMatchObject({ status: 'intact', rows: 4 })
    const told = lines.map((line) => JSON.parse(line) as Record<string, string>)
    expect(told.map(({ event, type }) => `${event} ${type}`)).toEqual(
      Array(3).fill('audit.refused sign_up'),
    )
  })
})
