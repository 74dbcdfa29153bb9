import { beforeAll, describe, expect, it } from '@jest/globals'
import { sqlOf } from '../support/database.ts'
import { createAccount } from '../support/factories.ts'
import { enableMfa, enter } from '../support/people.ts'
import { ApiApp } from '../support/upstream/api-app.ts'
import { atLogin, comeBy, honestBefore } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createIdentity, createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

describe('what the audit trail says of a sign-in by a provider', () => {
  const server = useServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
  const op = HostileOp.use()
  honestBefore(op, { email_verified: true })
  const sql = sqlOf(server)

  beforeAll(() => createProvider(server, { issuer: op.issuer, settings: { emailTrust: 'claim' } }))

  async function known() {
    const account = await createAccount(server)
    await createIdentity(server, account.id, op)
    return account
  }
  const signInsOf = async (accountId: string) => {
    await server.context.audit.flush()
    return sql<{ outcome: string; detail: object }>(
      `select outcome, detail from audit_event where account_id = $1 and type = 'sign_in' order by seq`,
      [accountId],
    )
  }

  it('names the provider, on the pages', async () => {
    const { id } = await known()
    await comeBy(await atLogin(server), op)
    expect(await signInsOf(id)).toEqual([
      { outcome: 'success', detail: expect.objectContaining({ door: 'pages', provider: 'acme' }) },
    ])
  })

  it('names it after a second step, too', async () => {
    const account = await known()
    const { code } = await enableMfa(server, account)
    const browser = await atLogin(server)
    await comeBy(browser, op)
    await browser.submit('/mfa', { code: await code() })
    expect((await signInsOf(account.id)).at(-1)?.detail).toMatchObject({ provider: 'acme' })
  })

  it('names it at the account API', async () => {
    const { id } = await known()
    const app = await ApiApp.register(server)
    expect((await app.redeem(await app.code(op))).status).toBe(200)
    expect(await signInsOf(id)).toEqual([
      { outcome: 'success', detail: expect.objectContaining({ door: 'api', provider: 'acme' }) },
    ])
  })

  it('names it where the account lets nobody in', async () => {
    const { id } = await known()
    await sql(
      `update account set status = 'deleting', delete_after = now() + interval '1 day' where id = $1`,
      [id],
    )
    await comeBy(await atLogin(server), op)
    const detail = { factor: 'upstream', provider: 'acme', reason: 'account_not_active' }
    expect(await signInsOf(id)).toEqual([{ outcome: 'failure', detail }])
  })

  it('names none after a password', async () => {
    const account = await known()
    await enter(await atLogin(server), account)
    const [signIn] = await signInsOf(account.id)
    expect(signIn?.detail).toMatchObject({ door: 'pages' })
    expect(signIn?.detail).not.toHaveProperty('provider')
  })
})
