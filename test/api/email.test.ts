import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { age, api, type SignedIn, signedIn, signIn, startApi } from '../support/api.ts'
import { createAccount } from '../support/factories.ts'
import type { TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

let made = 0
const fresh = () => `new.${++made}@example.net`
const edit = (body: object, { token }: Pick<SignedIn, 'token'>) =>
  api(server, 'PATCH /edit/email', body, { token })
const emailOf = async ({ token }: Pick<SignedIn, 'token'>) =>
  (await api(server, 'POST /user/me', undefined, { token })).body.user.email as string

describe('changing the address', () => {
  it('EM-10 takes a code from the new one, and gives the old one a way back', async () => {
    const owner = await signedIn(server)
    const email = fresh()
    const begun = await edit({ email: email.toUpperCase() }, owner)
    expect(begun).toMatchObject({
      status: 202,
      body: { tokenId: expect.any(String), expires_in: 600 },
    })
    expect(await emailOf(owner)).toBe(owner.email)
    const code = await server.inbox.code(email)
    const done = await edit({ email, tokenId: begun.body.tokenId, code }, owner)
    expect(done).toMatchObject({ status: 200, body: { user: { email, email_verified: true } } })
    expect(
      (await server.inbox.link(owner.email, '/undo-email')).searchParams.get('token'),
    ).toBeTruthy()
    expect(
      (await api(server, 'POST /sign-in/email', { email: owner.email, password: owner.password }))
        .status,
    ).toBe(401)
    expect(
      (await api(server, 'POST /sign-in/email', { email, password: owner.password })).status,
    ).toBe(200)
  })

  it('EN-01 EM-10 answers the same for a taken address, mails it nothing, and no code of it exists', async () => {
    const [owner, other] = [await signedIn(server), await createAccount(server)]
    const begun = await edit({ email: other.email }, owner)
    expect(begun).toMatchObject({
      status: 202,
      body: { tokenId: expect.any(String), expires_in: 600 },
    })
    await server.context.worker.drain()
    expect(await server.inbox.mails(other.email)).toEqual([])
    expect(
      (await edit({ email: other.email, tokenId: begun.body.tokenId, code: '123456' }, owner)).body
        .error,
    ).toBe('invalid_code')
  })

  it('EN-01 asking again and again tells a taken address from a free one neither by ids nor by status', async () => {
    const taken = (await createAccount(server)).email
    const patterns = []
    for (const email of [taken, fresh()]) {
      const owner = await signedIn(server)
      const ids: string[] = []
      for (let index = 0; index < 5; index += 1)
        ids.push((await edit({ email }, owner)).body.tokenId)
      patterns.push(ids.map((id) => ids.indexOf(id)))
    }
    expect(patterns[0]).toEqual(patterns[1])
  })

  it('EM-10 two people who want one address: one gets it', async () => {
    const people = [await signedIn(server), await signedIn(server)]
    const email = fresh()
    const proofs = []
    for (const person of people) {
      const { tokenId } = (await edit({ email }, person)).body
      proofs.push({ person, body: { email, tokenId, code: await server.inbox.code(email) } })
    }
    const answers = await Promise.all(proofs.map(({ person, body }) => edit(body, person)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400])
  })

  it('EM-01 the code is bound to account, address and credentials', async () => {
    const [owner, stranger] = [await signedIn(server), await signedIn(server)]
    const email = fresh()
    const start = async () => ({
      email,
      tokenId: (await edit({ email }, owner)).body.tokenId as string,
      code: await server.inbox.code(email),
    })
    const first = await start()
    expect((await edit(first, stranger)).body.error).toBe('invalid_code')
    const second = await start()
    expect((await edit({ ...second, email: fresh() }, owner)).body.error).toBe('invalid_code')
    const third = await start()
    await server.context.database.pool.query(
      'update "account" set "credential_version" = "credential_version" + 1 where "id" = $1',
      [owner.id],
    )
    expect((await edit(third, owner)).body.error).toBe('invalid_code')
    expect(await emailOf(owner)).toBe(owner.email)
  })

  it('EM-03 is done once, for 50 callers at a time', async () => {
    const owner = await signedIn(server)
    const email = fresh()
    const { tokenId } = (await edit({ email }, owner)).body
    const code = await server.inbox.code(email)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => edit({ email, tokenId, code }, owner)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(49)
  })

  it('SE-10 needs a fresh sign-in or the password', async () => {
    const owner = await signedIn(server)
    await age(server, owner, 601)
    const email = fresh()
    expect(await edit({ email }, owner)).toMatchObject({
      status: 403,
      body: { error: 'reauthentication_required' },
    })
    expect(await edit({ email, password: 'wrong' }, owner)).toMatchObject({
      status: 401,
      body: { error: 'invalid_credentials' },
    })
    expect((await edit({ email, password: owner.password }, owner)).status).toBe(202)
  })

  it('EM-09 no field proves an address', async () => {
    const owner = await signedIn(server)
    for (const field of ['email_verified', 'emailVerified', 'verified', 'email_verified_at'])
      for (const [route, body] of [
        ['PATCH /edit/email', { email: fresh(), [field]: true }],
        ['PATCH /edit/basic', { name: 'Ada', [field]: true }],
      ] as const)
        expect(await api(server, route, body, { token: owner.token })).toMatchObject({
          status: 400,
          body: { fields: { [field]: 'unknown_field' } },
        })
  })

  it('RL-01 wrong passwords here count with those of sign-in', async () => {
    const owner = await signedIn(server)
    for (let index = 0; index < 10; index += 1)
      await edit({ email: fresh(), password: 'wrong' }, owner)
    expect((await edit({ email: fresh(), password: owner.password }, owner)).status).toBe(429)
    expect(
      (await api(server, 'POST /sign-in/email', { email: owner.email, password: owner.password }))
        .status,
    ).toBe(429)
  })

  it('leaves the other sessions alone', async () => {
    const owner = await signedIn(server)
    const other = await signIn(server, owner)
    const email = fresh()
    const { tokenId } = (await edit({ email }, owner)).body
    await edit({ email, tokenId, code: await server.inbox.code(email) }, owner)
    expect(await emailOf(other)).toBe(email)
  })
})
