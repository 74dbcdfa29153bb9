import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { SecretBox } from '../../src/crypto/secret-box.ts'
import { sha256 } from '../../src/crypto/token.ts'
import {
  AttemptCounter,
  MfaChallenge,
  RecoveryCode,
  TotpCredential,
} from '../../src/entities/index.ts'
import {
  age,
  api,
  type SignedIn,
  signedIn,
  signIn,
  startApi,
  totp,
  withMfa,
} from '../support/api.ts'
import { createAccount } from '../support/factories.ts'
import type { TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

const enable = (body: object, { token }: Pick<SignedIn, 'token'>) =>
  api(server, 'POST /enable/mfa', body, { token })
const disable = (body: object, { token }: Pick<SignedIn, 'token'>) =>
  api(server, 'POST /disable/mfa', body, { token })
const isOn = async ({ token }: Pick<SignedIn, 'token'>) =>
  (await api(server, 'POST /user/me', undefined, { token })).body.user.mfa_enabled as boolean

describe('turning two-step sign-in on', () => {
  it('shows a secret in three forms, then takes a code of it and shows ten recovery codes', async () => {
    const owner = await signedIn(server)
    const begun = await enable({}, owner)
    expect(begun).toMatchObject({
      status: 200,
      body: { secret: expect.stringMatching(/^[A-Z2-7]{32}$/), expires_in: 600 },
    })
    expect(begun.body.otpauth_uri).toContain(`secret=${begun.body.secret}`)
    expect(begun.body.otpauth_uri).toContain(encodeURIComponent(owner.email))
    expect(begun.body.qr_svg).toMatch(/^<svg [^>]*viewBox=.*<\/svg>$/s)
    expect(await isOn(owner)).toBe(false)

    const done = await enable(
      { token: begun.body.token, code: await totp(begun.body.secret) },
      owner,
    )
    expect(done).toMatchObject({ status: 200, body: { mfa_enabled: true } })
    expect(new Set(done.body.recovery_codes).size).toBe(10)
    expect(await isOn(owner)).toBe(true)
    expect((await server.inbox.next(owner.email)).subject).not.toBe('')
  })

  it('TF-04 changes nothing before the code: sign-in goes on without one', async () => {
    const owner = await signedIn(server)
    await enable({}, owner)
    expect(
      (await api(server, 'POST /sign-in/email', { email: owner.email, password: owner.password }))
        .status,
    ).toBe(200)
  })

  it('TF-04 the pending secret expires, and a newer one replaces it', async () => {
    const owner = await signedIn(server)
    const first = (await enable({}, owner)).body
    const second = (await enable({}, owner)).body
    expect(
      (await enable({ token: second.token, code: await totp(first.secret) }, owner)).body.error,
    ).toBe('invalid_code')
    await server.context.database.em
      .fork()
      .nativeUpdate(TotpCredential, { account: owner.id }, { expiresAt: new Date() })
    expect(
      (await enable({ token: second.token, code: await totp(second.secret) }, owner)).body.error,
    ).toBe('invalid_code')
    expect(await isOn(owner)).toBe(false)
  })

  it('TF-04 a code for a key that a newer one has replaced is told so, and costs the account no try', async () => {
    const owner = await signedIn(server)
    const first = (await enable({}, owner)).body
    const second = (await enable({}, await signIn(server, owner))).body
    expect(
      await enable({ token: first.token, code: await totp(first.secret) }, owner),
    ).toMatchObject({ status: 409, body: { error: 'mfa_setup_replaced' } })
    expect(await isOn(owner)).toBe(false)
    const counter = { subject: sha256(`otp:${owner.id}`), factor: 'otp' } as const
    expect(await server.context.database.em.fork().count(AttemptCounter, counter)).toBe(0)
    expect(
      (await enable({ token: second.token, code: await totp(second.secret) }, owner)).body.error,
    ).toBe('invalid_code')
  })

  it('TF-04 is refused while it is on: the old factor must go first', async () => {
    const owner = await signedIn(server)
    await withMfa(server, owner)
    expect(await enable({}, owner)).toMatchObject({
      status: 409,
      body: { error: 'mfa_already_enabled' },
    })
  })

  it('SE-10 TF-05 asks for the password when the sign-in is older than ten minutes', async () => {
    const owner = await signedIn(server)
    await age(server, owner, 601)
    expect(await enable({}, owner)).toMatchObject({
      status: 403,
      body: { error: 'reauthentication_required' },
    })
    expect(await enable({ password: 'wrong' }, owner)).toMatchObject({
      status: 401,
      body: { error: 'invalid_credentials' },
    })
    expect((await enable({ password: owner.password }, owner)).status).toBe(200)
  })

  it('a password that is sent is checked, however fresh the sign-in', async () => {
    const owner = await signedIn(server)
    expect((await enable({ password: 'wrong' }, owner)).body.error).toBe('invalid_credentials')
  })

  it('the second call belongs to the session that began, and to nobody else', async () => {
    const owner = await signedIn(server)
    const { token, secret } = (await enable({}, owner)).body
    const elsewhere = await signIn(server, owner)
    const stranger = await signedIn(server)
    for (const caller of [elsewhere, stranger])
      expect(await enable({ token, code: await totp(secret) }, caller)).toMatchObject({
        status: 400,
        body: { error: 'invalid_code' },
      })
    expect((await enable({ token, code: await totp(secret) }, owner)).status).toBe(200)
  })

  it('50 confirmations at once turn it on once, with one set of codes', async () => {
    const owner = await signedIn(server)
    const { token, secret } = (await enable({}, owner)).body
    const code = await totp(secret)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => enable({ token, code }, owner)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => ![200, 400, 409, 429].includes(status))).toEqual([])
    expect(await server.context.database.em.fork().count(RecoveryCode, { account: owner.id })).toBe(
      10,
    )
  })
})

describe('turning it off', () => {
  it('takes a code of the authenticator', async () => {
    const owner = await signedIn(server)
    const { secret } = await withMfa(server, owner)
    const begun = await disable({}, owner)
    expect(begun).toMatchObject({
      status: 200,
      body: { token: expect.any(String), expires_in: 600 },
    })
    expect(await isOn(owner)).toBe(true)
    expect(
      await disable({ token: begun.body.token, code: await totp(secret) }, owner),
    ).toMatchObject({
      status: 200,
      body: { mfa_enabled: false },
    })
    expect(await isOn(owner)).toBe(false)
    expect(
      (await api(server, 'POST /sign-in/email', { email: owner.email, password: owner.password }))
        .status,
    ).toBe(200)
    const em = server.context.database.em.fork()
    expect([
      await em.count(TotpCredential, { account: owner.id }),
      await em.count(RecoveryCode, { account: owner.id }),
    ]).toEqual([0, 0])
  })

  it('takes a recovery code', async () => {
    const owner = await signedIn(server)
    const { recoveryCodes } = await withMfa(server, owner)
    const { token } = (await disable({}, owner)).body
    expect(
      (await disable({ token, code: ` ${recoveryCodes[0]?.toLowerCase()} ` }, owner)).status,
    ).toBe(200)
  })

  it('TF-05 the password alone does not do it', async () => {
    const owner = await signedIn(server)
    await withMfa(server, owner)
    const { token } = (await disable({ password: owner.password }, owner)).body
    expect((await disable({ token, code: owner.password }, owner)).body.error).toBe('invalid_code')
    expect((await disable({ token, code: '000000' }, owner)).body.error).toBe('invalid_code')
    expect(await isOn(owner)).toBe(true)
  })

  it('SE-10 asks for the second factor again when the sign-in is old: the password is not enough', async () => {
    const owner = await signedIn(server)
    await withMfa(server, owner)
    await age(server, owner, 601)
    for (const body of [{}, { password: owner.password }])
      expect(await disable(body, owner)).toMatchObject({
        status: 403,
        body: { error: 'reauthentication_required' },
      })
    expect(await disable({ password: 'wrong' }, owner)).toMatchObject({
      status: 401,
      body: { error: 'invalid_credentials' },
    })
  })

  it('is refused while it is off', async () => {
    expect(await disable({}, await signedIn(server))).toMatchObject({
      status: 409,
      body: { error: 'mfa_not_enabled' },
    })
  })

  it('TF-07 a token of another flow, of nobody, or expired leads nowhere', async () => {
    const owner = await signedIn(server)
    const { secret } = await withMfa(server, owner)
    const { email, password } = owner
    const signInChallenge = (await api(server, 'POST /sign-in/email', { email, password })).body
      .token
    const { token } = (await disable({}, owner)).body
    const refused = async (wrong: string) =>
      (await disable({ token: wrong, code: await totp(secret) }, owner)).body.error
    expect([await refused(signInChallenge), await refused('x'.repeat(43))]).toEqual([
      'invalid_code',
      'invalid_code',
    ])
    await server.context.database.em
      .fork()
      .nativeUpdate(MfaChallenge, { account: owner.id }, { expiresAt: new Date() })
    expect(await refused(token)).toBe('invalid_code')
    expect(await isOn(owner)).toBe(true)
  })
})

describe('recovery codes', () => {
  it('TF-09 are made anew on request; the old ones are void', async () => {
    const owner = await signedIn(server)
    const { recoveryCodes: old } = await withMfa(server, owner)
    const { status, body } = await api(server, 'POST /recovery-codes', {}, { token: owner.token })
    expect(status).toBe(200)
    expect(body.recovery_codes).toHaveLength(10)
    const { email, password } = owner
    const answer = async (code: string | undefined) => {
      const { token } = (await api(server, 'POST /sign-in/email', { email, password })).body
      return (await api(server, 'POST /sign-in/email', { code, token })).status
    }
    expect(await answer(old[0])).toBe(400)
    expect(await answer(body.recovery_codes[0])).toBe(200)
  })

  it('TF-09 one is good once, for 50 callers at a time', async () => {
    const owner = await signedIn(server)
    const { recoveryCodes } = await withMfa(server, owner)
    const { email, password } = owner
    const challenges = await Promise.all(
      [1, 2, 3, 4].map(() => api(server, 'POST /sign-in/email', { email, password })),
    )
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        api(server, 'POST /sign-in/email', {
          code: recoveryCodes[0],
          token: challenges[index % 4]?.body.token,
        }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('SE-10 need a fresh second factor', async () => {
    const owner = await signedIn(server)
    const make = (body?: object) =>
      api(server, 'POST /recovery-codes', body, { token: owner.token })
    expect((await make()).body.error).toBe('mfa_not_enabled')
    await withMfa(server, owner)
    await age(server, owner, 601)
    expect((await make()).body.error).toBe('reauthentication_required')
    expect((await make({ password: 'wrong' })).body.error).toBe('invalid_credentials')
    expect((await make({ password: owner.password })).body.error).toBe('reauthentication_required')
  })

  it('TF-01 TF-09 neither secret nor codes are in the database in clear', async () => {
    const owner = await signedIn(server)
    const { secret, recoveryCodes } = await withMfa(server, owner)
    const { rows } = await server.context.database.pool.query(
      `select t::text from "totp_credential" t union all select r::text from "recovery_code" r union all select m::text from "mfa_challenge" m`,
    )
    const dump = JSON.stringify(rows)
    for (const text of [
      secret,
      ...recoveryCodes,
      ...recoveryCodes.map((code) => code.replaceAll('-', '')),
    ])
      expect(dump).not.toContain(text)
  })

  it('TF-08 a reset leaves two-step sign-in on', async () => {
    const { email, id } = await createAccount(server)
    const owner = {
      id,
      email,
      ...(await signIn(server, { email, password: 'plum ladder seven harbour' })),
    }
    await withMfa(server, owner)
    await server.inbox.next(email)
    const { tokenId } = (await api(server, 'PATCH /forgot/password', { email })).body
    const code = await server.inbox.code(email)
    const password = 'ember quilt nine lantern'
    expect(
      await api(server, 'PATCH /forgot/password', { email, password, tokenId, code }),
    ).toMatchObject({ status: 200, body: {} })
    expect(await api(server, 'POST /sign-in/email', { email, password })).toMatchObject({
      status: 401,
      body: { error: 'mfa_required' },
    })
  })
})

describe('a secret that this instance cannot open', () => {
  it('CF-04 RL-06 is 503, not a wrong code and not a fault of ours; no try of the account is counted', async () => {
    const owner = await signedIn(server)
    const { secret } = await withMfa(server, owner)
    const em = server.context.database.em.fork()
    const credential = await em.findOneOrFail(TotpCredential, { account: owner.id })
    const readable = credential.secretBox
    const other = new SecretBox(['a key that only another instance has already'])
    credential.secretBox = other.seal(secret, owner.id)
    await em.flush()

    const { email, password } = owner
    const answer = async () => {
      const { token } = (await api(server, 'POST /sign-in/email', { email, password })).body
      return api(server, 'POST /sign-in/email', { token, code: await totp(secret) })
    }
    for (let tries = 0; tries < 6; tries += 1) {
      const { status, body, headers } = await answer()
      expect([status, body.error]).toEqual([503, 'unavailable'])
      expect(headers.get('retry-after')).toBe('1')
    }

    credential.secretBox = readable
    await em.flush()
    expect((await answer()).status).toBe(200)
  })
})
