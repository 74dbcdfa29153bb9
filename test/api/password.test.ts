import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account, VerificationToken } from '../../src/entities/index.ts'
import {
  api,
  canRefresh,
  isAlive,
  type SignedIn,
  signedIn,
  signIn,
  startApi,
  totp,
  withMfa,
} from '../support/api.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey } from '../support/passkeys.ts'
import type { TestServer } from '../support/server.ts'

const NEW = 'ember quilt nine lantern'

let server: TestServer
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

const edit = (body: object, { token }: Pick<SignedIn, 'token'>) =>
  api(server, 'PATCH /edit/password', body, { token })
const forgot = (body: object) => api(server, 'PATCH /forgot/password', body)
const opens = async (email: string, password: string) =>
  (await api(server, 'POST /sign-in/email', { email, password })).status === 200

async function begun(owner: SignedIn) {
  const { tokenId } = (await edit({ current_password: owner.password }, owner)).body
  return {
    email: owner.email,
    tokenId: tokenId as string,
    code: await server.inbox.code(owner.email),
  }
}

describe('changing the password', () => {
  it('PW-09 takes the current one and a mailed code', async () => {
    const owner = await signedIn(server)
    const first = await edit({ current_password: owner.password }, owner)
    expect(first).toMatchObject({
      status: 202,
      body: { tokenId: expect.any(String), method: 'email', expires_in: 600 },
    })
    const code = await server.inbox.code(owner.email)
    const done = await edit(
      { email: owner.email, password: NEW, tokenId: first.body.tokenId, code },
      owner,
    )
    expect(done).toMatchObject({ status: 200, body: { user: { id: owner.id } } })
    expect([await opens(owner.email, owner.password), await opens(owner.email, NEW)]).toEqual([
      false,
      true,
    ])
    expect((await server.inbox.next(owner.email)).subject).not.toBe('')
  })

  it('PW-09 takes a code of the authenticator when two-step sign-in is on, and PW-01 then eight characters do', async () => {
    const owner = await signedIn(server)
    const { secret } = await withMfa(server, owner)
    const first = await edit({ current_password: owner.password }, owner)
    expect(first.body).toMatchObject({ method: 'totp' })
    const { tokenId } = first.body
    expect(
      (
        await edit(
          { email: owner.email, password: 'vq7 lamp', tokenId, code: await totp(secret) },
          owner,
        )
      ).status,
    ).toBe(200)
  })

  it('PW-09 of an account with a passkey and no app takes the passkey first, then a mailed code', async () => {
    const owner = await signedIn(server)
    const { authenticator } = await givePasskey(server, { ...owner, name: 'Ada' })
    const start = () => edit({ current_password: owner.password }, owner)
    expect(await start()).toMatchObject({
      status: 403,
      body: { error: 'reauthentication_required' },
    })
    const { token, publicKey } = (await api(server, 'POST /verification/options', {}, owner)).body
    const shown = { token, credential: authenticator.assert(publicKey) }
    expect((await api(server, 'POST /verification', shown, owner)).status).toBe(200)
    const first = await start()
    expect(first).toMatchObject({ status: 202, body: { method: 'email' } })
    const { tokenId } = first.body
    const code = await server.inbox.code(owner.email)
    const change = { email: owner.email, password: 'vq7 lamp', tokenId, code }
    expect((await edit(change, owner)).status).toBe(200)
  })

  it('PW-09 a code that was mailed before there was a passkey does not stand in for it', async () => {
    const owner = await signedIn(server)
    const proof = await begun(owner)
    await givePasskey(server, { ...owner, name: 'Ada' })
    expect((await edit({ ...proof, password: NEW }, owner)).body.error).toBe(
      'reauthentication_required',
    )
    expect(await opens(owner.email, NEW)).toBe(false)
  })

  it('PW-09 nothing changes without the current password, or with a wrong one', async () => {
    const owner = await signedIn(server)
    expect(await edit({}, owner)).toMatchObject({
      status: 400,
      body: { fields: { current_password: 'required' } },
    })
    expect(await edit({ current_password: 'wrong' }, owner)).toMatchObject({
      status: 401,
      body: { error: 'invalid_credentials' },
    })
    expect(
      (
        await edit(
          { email: owner.email, password: NEW, tokenId: crypto.randomUUID(), code: '123456' },
          owner,
        )
      ).body.error,
    ).toBe('invalid_code')
    expect(await opens(owner.email, owner.password)).toBe(true)
  })

  it('PW-10 ends every other session with its tokens, keeps this one, and voids what was pending', async () => {
    const owner = await signedIn(server)
    const others = [await signIn(server, owner), await signIn(server, owner)]
    const { tokenId } = (await forgot({ email: owner.email })).body
    const resetCode = await server.inbox.code(owner.email)
    const proof = await begun(owner)
    expect((await edit({ ...proof, password: NEW }, owner)).status).toBe(200)
    expect(await isAlive(server, owner.token)).toBe(true)
    expect(await canRefresh(server, owner.refreshToken)).toBe(true)
    for (const other of others)
      expect([
        await isAlive(server, other.token),
        await canRefresh(server, other.refreshToken),
      ]).toEqual([false, false])
    expect(
      (
        await forgot({
          email: owner.email,
          password: 'copper meadow eleven violin',
          tokenId,
          code: resetCode,
        })
      ).body.error,
    ).toBe('invalid_code')
    const left = await server.context.database.em
      .fork()
      .find(VerificationToken, { subjectId: owner.id })
    expect(left.map(({ purpose }) => purpose)).toEqual(['report_compromise'])
  })

  it('PW-04 refuses a bad one with the reason, and the code stays good', async () => {
    const owner = await signedIn(server)
    const proof = await begun(owner)
    for (const [password, reason] of [
      ['short', 'too_short'],
      ['passwordpassword', 'too_common'],
      [owner.email, 'too_personal'],
    ])
      expect(await edit({ ...proof, password }, owner)).toMatchObject({
        status: 400,
        body: { error: 'password_rejected', fields: { password: reason } },
      })
    expect((await edit({ ...proof, password: NEW }, owner)).status).toBe(200)
  })

  it('EM-01 the code is bound to account, address and purpose', async () => {
    const [owner, stranger] = [await signedIn(server), await signedIn(server)]
    const proof = await begun(owner)
    expect((await edit({ ...proof, password: NEW }, stranger)).body.error).toBe('invalid_code')
    expect((await edit({ ...proof, email: stranger.email, password: NEW }, owner)).body.error).toBe(
      'invalid_code',
    )
    expect((await forgot({ ...proof, password: NEW })).body.error).toBe('invalid_code')
    expect((await edit({ ...proof, password: NEW }, owner)).status).toBe(200)
  })

  it('is done once, for 50 callers at a time', async () => {
    const owner = await signedIn(server)
    const proof = await begun(owner)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => edit({ ...proof, password: NEW }, owner)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => ![200, 400, 503].includes(status))).toEqual([])
  })

  it.each(['x', '00000000-0000-0000-0000-000000000000', "' or 1=1 --", '\u0000', 'a'.repeat(128)])(
    'a tokenId of %j is none',
    async (tokenId) => {
      const owner = await signedIn(server)
      expect(
        (await edit({ email: owner.email, password: NEW, tokenId, code: '123456' }, owner)).body
          .error,
      ).toBe('invalid_code')
    },
  )

  it('PW-10 IN-08 of a change and a reset that are both proven at once, one happens: a thief does not overtake the reset', async () => {
    const OTHER = 'copper meadow eleven violin'
    for (let round = 0; round < 8; round += 1) {
      const owner = await signedIn(server)
      const change = await begun(owner)
      const { tokenId } = (await forgot({ email: owner.email })).body
      const reset = { email: owner.email, tokenId, code: await server.inbox.code(owner.email) }
      const answers = await Promise.all([
        edit({ ...change, password: NEW }, owner),
        forgot({ ...reset, password: OTHER }),
      ])
      const [changed, wasReset] = answers.map(({ status }) => status === 200)
      expect(answers.every(({ status }) => status < 500)).toBe(true)
      expect([changed, wasReset].filter(Boolean)).toHaveLength(1)
      expect([await opens(owner.email, NEW), await opens(owner.email, OTHER)]).toEqual([
        changed,
        wasReset,
      ])
      if (wasReset) expect(await isAlive(server, owner.token)).toBe(false)
    }
  })

  it('TF-12 LG-04 a new password of which the owner cannot be told is not set', async () => {
    const owner = await signedIn(server)
    const proof = await begun(owner)
    const { pool } = server.context.database
    await pool.query(
      `create function refuse_mail() returns trigger language plpgsql as 'begin raise exception ''disk full''; end'`,
    )
    await pool.query(
      'create trigger broken before insert on outbox_message for each row execute function refuse_mail()',
    )
    try {
      expect((await edit({ ...proof, password: NEW }, owner)).status).toBe(500)
    } finally {
      await pool.query('drop trigger broken on outbox_message')
      await pool.query('drop function refuse_mail()')
    }
    expect([await opens(owner.email, owner.password), await opens(owner.email, NEW)]).toEqual([
      true,
      false,
    ])
  })
})

describe('a forgotten password', () => {
  it('EM-08 is reset by a mailed code: every session ends, and nobody is signed in', async () => {
    const owner = await signedIn(server)
    const asked = await forgot({ email: owner.email.toUpperCase() })
    expect(asked).toMatchObject({
      status: 202,
      body: { tokenId: expect.any(String), expires_in: 600 },
    })
    expect(await isAlive(server, owner.token)).toBe(true)
    const code = await server.inbox.code(owner.email)
    const done = await forgot({
      email: owner.email,
      password: NEW,
      tokenId: asked.body.tokenId,
      code,
    })
    expect(done).toMatchObject({ status: 200, body: {} })
    expect([
      await isAlive(server, owner.token),
      await canRefresh(server, owner.refreshToken),
    ]).toEqual([false, false])
    expect([await opens(owner.email, owner.password), await opens(owner.email, NEW)]).toEqual([
      false,
      true,
    ])
  })

  it('RL-03 opens the way that an attacker has closed', async () => {
    const owner = await createAccount(server)
    for (let index = 0; index < 11; index += 1)
      await api(server, 'POST /sign-in/email', { email: owner.email, password: 'wrong' })
    expect(
      (await api(server, 'POST /sign-in/email', { email: owner.email, password: owner.password }))
        .status,
    ).toBe(429)
    const { tokenId } = (await forgot({ email: owner.email })).body
    await forgot({
      email: owner.email,
      password: NEW,
      tokenId,
      code: await server.inbox.code(owner.email),
    })
    expect(await opens(owner.email, NEW)).toBe(true)
  })

  it('EN-01 asking again and again tells addresses apart neither by ids nor by status', async () => {
    const disabled = await createAccount(server, { status: 'disabled' })
    const patterns = []
    for (const email of [
      (await createAccount(server)).email,
      'nobody.ever@example.org',
      disabled.email,
    ]) {
      const ids: string[] = []
      for (let index = 0; index < 6; index += 1) {
        const { status, body } = await forgot({ email })
        expect(status).toBe(202)
        ids.push(body.tokenId)
      }
      patterns.push(ids.map((id) => ids.indexOf(id)))
    }
    expect(patterns[1]).toEqual(patterns[0])
    expect(patterns[2]).toEqual(patterns[0])
  })

  it('AA-01 mails ten times an hour at most for all networks together; nobody who has no account gets any', async () => {
    const owner = await createAccount(server)
    for (let index = 0; index < 12; index += 1) {
      await forgot({ email: owner.email })
      await forgot({ email: 'no.account@example.org' })
    }
    await server.context.worker.drain()
    expect(await server.inbox.mails(owner.email)).toHaveLength(10)
    expect(await server.inbox.mails('no.account@example.org')).toEqual([])
  })

  it('PW-05 refuses the person’s name to who has the code, which stays good, and tells it to nobody else', async () => {
    const owner = await createAccount(server, { name: 'Wilhelmina Featherstone' })
    const { tokenId } = (await forgot({ email: owner.email })).body
    const body = {
      email: owner.email,
      password: 'wilhelmina-featherstone',
      tokenId,
      code: await server.inbox.code(owner.email),
    }
    const wrong = body.code === '000000' ? '111111' : '000000'
    expect((await forgot({ ...body, code: wrong })).body.error).toBe('invalid_code')
    expect((await forgot(body)).body).toMatchObject({
      error: 'password_rejected',
      fields: { password: 'too_personal' },
    })
    expect((await forgot({ ...body, password: NEW })).status).toBe(200)
  })

  it('EM-01 EM-03 the code is bound to its address and good once, for 50 callers at a time', async () => {
    const [owner, other] = [await createAccount(server), await createAccount(server)]
    const { tokenId } = (await forgot({ email: owner.email })).body
    const code = await server.inbox.code(owner.email)
    expect((await forgot({ email: other.email, password: NEW, tokenId, code })).body.error).toBe(
      'invalid_code',
    )

    const again = (await forgot({ email: owner.email })).body.tokenId
    const body = {
      email: owner.email,
      password: NEW,
      tokenId: again,
      code: await server.inbox.code(owner.email),
    }
    const answers = await Promise.all(Array.from({ length: 50 }, () => forgot(body)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(49)
  })

  it('a reset of a disabled account leads nowhere, also with a code from before', async () => {
    const owner = await createAccount(server)
    const { tokenId } = (await forgot({ email: owner.email })).body
    const code = await server.inbox.code(owner.email)
    await server.context.database.em
      .fork()
      .nativeUpdate(Account, { id: owner.id }, { status: 'disabled' })
    expect((await forgot({ email: owner.email, password: NEW, tokenId, code })).body.error).toBe(
      'invalid_code',
    )
  })
})
