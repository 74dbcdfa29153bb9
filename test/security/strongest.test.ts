import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { seedDemoAccount } from '../../src/seed.ts'
import { api, startApi } from '../support/api.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { givePasskey } from '../support/passkeys.ts'
import { enableMfa } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const ORIGIN = { ip: '192.0.2.1', userAgent: '', requestId: 'test' }
const UNCOUNTED = `
select "id" from "account" a where "strongest" <> case
  when exists (select from "totp_credential" t where t."account_id" = a."id" and t."confirmed_at" is not null) then 2
  when "password_hash" is not null then 1 else 0 end`

let server: TestServer
const sql = async (text: string, values: unknown[] = []) =>
  (await server.context.database.pool.query(text, values)).rows
const strongest = async (email: string) =>
  (await server.context.database.em.fork().findOneOrFail(Account, { email })).strongest

describe('how strong a sign-in can be is counted by the transaction that adds or removes a method', () => {
  beforeAll(async () => {
    server = await startApi()
  })
  afterAll(async () => {
    const uncounted = await sql(UNCOUNTED)
    await server.stop()
    expect(uncounted).toEqual([])
  })

  async function signUp(email: string, password: string) {
    const person = { name: 'Grace Hopper', email, password }
    const { userId, tokenId } = (await api(server, 'POST /sign-up/email', person)).body
    return { userId, tokenId }
  }

  async function verify(email: string, page: { userId: string; tokenId: string }) {
    const code = await server.inbox.code(email)
    const answer = await api(server, 'POST /verify/email', { ...page, email, code })
    expect(answer.status).toBe(200)
  }

  async function reset(email: string) {
    const { tokenId } = (await api(server, 'PATCH /forgot/password', { email })).body
    const proof = { email, tokenId, code: await server.inbox.code(email), password: PASSWORD }
    expect((await api(server, 'PATCH /forgot/password', proof)).status).toBe(200)
  }

  it('a sign-up makes an account of one factor, or of none until it sets a password', async () => {
    const [one, none] = ['one.factor@example.org', 'no.factor@example.org']
    await verify(one, await signUp(one, PASSWORD))
    expect(await strongest(one)).toBe(1)

    await signUp(none, 'chosen by a stranger today')
    await signUp(none, 'chosen by another stranger')
    await server.context.worker.drain()
    await server.inbox.next(none)
    const { body } = await api(server, 'POST /resend/verify/email', { email: none })
    await verify(none, { userId: body.userId, tokenId: body.tokenId })
    expect(await strongest(none)).toBe(0)
    await reset(none)
    expect(await strongest(none)).toBe(1)
  })

  it('two-step sign-in makes it two, a reset leaves it so, and turning it off makes it one', async () => {
    const { id, email } = await createAccount(server)
    await sql('update "account" set "strongest" = 1 where "id" = $1', [id])
    const authenticator = await enableMfa(server, { id, email })
    expect(await strongest(email)).toBe(2)
    await server.context.recoveryCodes.regenerate(id, ORIGIN)
    await reset(email)
    expect(await strongest(email)).toBe(2)
    await server.context.mfa.disable(id, await authenticator.code(), ORIGIN)
    expect(await strongest(email)).toBe(1)
  })

  it('so does an operator who removes it', async () => {
    const { id, email } = await createAccount(server)
    await sql('update "account" set "strongest" = 1 where "id" = $1', [id])
    await enableMfa(server, { id, email })
    await server.context.administration.removeMfa(email)
    expect(await strongest(email)).toBe(1)
  })

  it('a set-up that is not confirmed changes nothing', async () => {
    const { id, email } = await createAccount(server)
    await sql('update "account" set "strongest" = 1 where "id" = $1', [id])
    await server.context.mfa.enrol({ id, email })
    expect(await strongest(email)).toBe(1)
  })

  it('the demo account has a password', async () => {
    await sql('delete from "account"')
    const seeded = await seedDemoAccount(server.context)
    expect(await strongest(seeded?.email ?? '')).toBe(1)
  })
})

describe('beside instances of the version before, which count without passkeys', () => {
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it('TF-06 an account that has a passkey stays at two factors, and is counted down without it', async () => {
    const account = await createAccount(server)
    const { id, email } = account
    const countedBefore = () => sql('update "account" set "strongest" = 1 where "id" = $1', [id])
    await givePasskey(server, account)
    await countedBefore()
    expect(await strongest(email)).toBe(2)
    await sql('delete from "passkey" where "account_id" = $1', [id])
    await countedBefore()
    expect(await strongest(email)).toBe(1)
  })

  it('TF-06 a challenge that they issued follows a password', async () => {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    const { challenge } = await server.context.challenges.issue(account.id, 'api')
    await sql('update "mfa_challenge" set "first_step" = default where "account_id" = $1', [
      account.id,
    ])
    const answer = { challenge, binding: 'api', code: await authenticator.code() }
    const { proofs } = await server.context.secondStep.answer(
      answer,
      ORIGIN,
      async (proven) => proven,
    )
    expect(proofs.map(({ id }) => id)).toEqual(['password', 'totp'])
  })
})
