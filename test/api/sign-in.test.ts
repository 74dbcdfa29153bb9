import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account, MfaChallenge, Session } from '../../src/entities/index.ts'
import {
  api,
  isAlive,
  type Json,
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

const sessionsOf = (accountId: string) =>
  server.context.database.em.fork().count(Session, { account: accountId })

/** Someone with two-step sign-in on, who has sent the right password. */
async function challenged() {
  const owner = await signedIn(server)
  const mfa = await withMfa(server, owner)
  const { email, password } = owner
  const refused = await api(server, 'POST /sign-in/email', { email, password })
  return { ...owner, ...mfa, refused, challenge: refused.body.token as string }
}

describe('sign-in', () => {
  it('IN-06 shows tokens, session and user, each by a list of fields', async () => {
    const { email, password } = await createAccount(server)
    const { status, body, headers } = await api(server, 'POST /sign-in/email', { email, password })
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(Object.keys(body)).toEqual([
      'access_token',
      'token_type',
      'expires_in',
      'refresh_token',
      'scope',
      'session',
      'user',
    ])
    expect(Object.keys(body.session)).toEqual([
      'id',
      'ip',
      'user_agent',
      'created_at',
      'last_seen_at',
      'expires_at',
      'current',
    ])
    expect(Object.keys(body.user)).toEqual([
      'id',
      'name',
      'email',
      'email_verified',
      'phone_number',
      'image_url',
      'status',
      'mfa_enabled',
      'created_at',
      'updated_at',
    ])
    expect(headers.get('set-cookie')).toBeNull()
  })

  it('finds the account by any spelling of its address', async () => {
    const { email, password } = await createAccount(server)
    expect(
      (await api(server, 'POST /sign-in/email', { email: ` ${email.toUpperCase()} `, password }))
        .status,
    ).toBe(200)
  })

  it.each([
    ['a wrong password', (email: string) => ({ email, password: 'wrong wrong wrong wrong' })],
    [
      'a password with a space more',
      (email: string) => ({ email, password: 'plum ladder seven harbour ' }),
    ],
    ['an address that is none', () => ({ email: 'nobody', password: 'plum ladder seven harbour' })],
    ['a password of 1000 characters', (email: string) => ({ email, password: 'x'.repeat(1000) })],
  ])('refuses %s with 401 and a scheme', async (_what, body) => {
    const { email, id } = await createAccount(server)
    const answer = await api(server, 'POST /sign-in/email', body(email))
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_credentials' } })
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect(await sessionsOf(id)).toBe(0)
  })

  it('RL-01 RL-09 slows down after ten failures, alike for addresses with and without an account', async () => {
    const { email, password } = await createAccount(server)
    const shapes = []
    for (const address of [email, 'nobody.at.all@example.org']) {
      const answers = []
      for (let index = 0; index < 11; index += 1)
        answers.push(
          await api(server, 'POST /sign-in/email', { email: address, password: 'wrong' }),
        )
      const limited = answers.findIndex(({ status }) => status === 429)
      const { body, headers } = answers[limited] ?? {}
      shapes.push({ limited, retryAfter: headers?.get('retry-after'), error: body?.error })
    }
    expect(shapes[0]).toEqual({
      limited: 10,
      retryAfter: expect.stringMatching(/^\d+$/),
      error: 'too_many_requests',
    })
    expect(shapes[1]).toEqual(shapes[0])
    expect((await api(server, 'POST /sign-in/email', { email, password })).status).toBe(429)
  })

  it('RL-02 parallel tries are all counted: the right password at the end is not evaluated', async () => {
    const { email, password } = await createAccount(server)
    const before = server.context.hasher.stats.evaluations
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        api(server, 'POST /sign-in/email', { email, password: index === 59 ? password : 'wrong' }),
      ),
    )
    expect(server.context.hasher.stats.evaluations - before).toBeLessThanOrEqual(10)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]))
  })

  it('RL-04 counts by the network in front of a trusted proxy', async () => {
    const from = '198.51.100.77'
    const statuses = []
    for (let index = 0; index < 62; index += 1)
      statuses.push((await api(server, 'POST /sign-in/email', {}, { from })).status)
    expect(statuses.filter((status) => status === 400)).toHaveLength(60)
    expect(statuses.at(-1)).toBe(429)
    expect((await api(server, 'POST /sign-in/email', {})).status).toBe(400)
  })

  it('50 sign-ins at once are 50 sessions; the cap then ends the oldest (SE-09)', async () => {
    const { id, email, password } = await createAccount(server)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => api(server, 'POST /sign-in/email', { email, password })),
    )
    const done = answers.filter(({ status }) => status === 200)
    expect(answers.filter(({ status }) => ![200, 429, 503].includes(status))).toEqual([])
    expect(new Set(done.map(({ body }) => body.session.id)).size).toBe(done.length)
    while (
      (await api(server, 'POST /sign-in/email', { email, password })).body.session &&
      (await sessionsOf(id)) < 48
    );
    await signIn(server, { email, password })
    expect(await sessionsOf(id)).toBe(48)
  })

  it.each(['disabled', 'deleting'] as const)(
    'an account that is %s is refused like a wrong password',
    async (status) => {
      const { email, password } = await createAccount(server, { status })
      expect(await api(server, 'POST /sign-in/email', { email, password })).toMatchObject({
        status: 401,
        body: { error: 'invalid_credentials' },
      })
    },
  )

  it('PW-10 a sign-in that a password change overtakes is refused', async () => {
    const { id, email, password } = await createAccount(server)
    const { firstPartyTokens, passwords, signIn: useCase } = server.context
    const origin = { ip: '192.0.2.1', userAgent: '', requestId: 'x' }
    const outcome = await useCase.withPassword({ email, password, binding: 'api' }, origin)
    await passwords.replace(id, 'ember quilt nine lantern')
    if (outcome.status !== 'signed_in') throw new Error(outcome.status)
    await expect(firstPartyTokens.issue(outcome, origin)).rejects.toMatchObject({
      code: 'invalid_credentials',
    })
    expect(await sessionsOf(id)).toBe(0)
  })
})

describe('sign-in with a second factor', () => {
  it('TF-06 answers the password with a challenge and nothing else', async () => {
    const { refused, id } = await challenged()
    expect(refused).toMatchObject({
      status: 401,
      body: { error: 'mfa_required', methods: ['totp', 'recovery'], expires_in: 600 },
    })
    expect(Object.keys(refused.body).sort()).toEqual([
      'error',
      'expires_in',
      'message',
      'methods',
      'request_id',
      'token',
    ])
    expect(await sessionsOf(id)).toBe(1)
  })

  it('TF-06 the challenge opens no route', async () => {
    const { challenge } = await challenged()
    for (const route of [
      'POST /user/me',
      'GET /user/sessions',
      'DELETE /user/logout',
      'PATCH /edit/basic',
      'GET /user/export',
    ])
      expect(
        (await api(server, route, route.startsWith('PATCH') ? {} : undefined, { token: challenge }))
          .status,
      ).toBe(401)
    expect((await api(server, 'PATCH /user/refresh', { refresh_token: challenge })).status).toBe(
      401,
    )
  })

  it('signs in with the code of the authenticator, by code and token alone', async () => {
    const { secret, challenge } = await challenged()
    const done = await api(server, 'POST /sign-in/email', {
      code: await totp(secret),
      token: challenge,
    })
    expect(done).toMatchObject({ status: 200, body: { user: { mfa_enabled: true } } })
    const [session] = await server.context.database.em
      .fork()
      .find(Session, { id: done.body.session.id })
    expect(session).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'urn:gatehouse:acr:2fa' })
  })

  it('signs in with a recovery code, once, and TF-10 claims no second factor for it', async () => {
    const { recoveryCodes, challenge, email, password } = await challenged()
    const done = await api(server, 'POST /sign-in/email', {
      email,
      password,
      code: recoveryCodes[3],
      token: challenge,
    })
    expect(done.status).toBe(200)
    const [session] = await server.context.database.em
      .fork()
      .find(Session, { id: done.body.session.id })
    expect(session).toMatchObject({ amr: ['pwd'], acr: 'urn:gatehouse:acr:1fa' })
    const again = await api(server, 'POST /sign-in/email', { email, password })
    expect(
      (
        await api(server, 'POST /sign-in/email', {
          code: recoveryCodes[3],
          token: again.body.token,
        })
      ).body.error,
    ).toBe('invalid_code')
  })

  it('an address that is sent must be the one of the challenge; the code is not spent by the mistake', async () => {
    const { secret, challenge, email } = await challenged()
    const code = await totp(secret)
    const other = await createAccount(server)
    expect(
      (await api(server, 'POST /sign-in/email', { email: other.email, code, token: challenge }))
        .body.error,
    ).toBe('invalid_code')
    expect(
      (await api(server, 'POST /sign-in/email', { email, code, token: challenge })).status,
    ).toBe(200)
  })

  it('TF-07 a code that is absent or of another type reaches nothing', async () => {
    const { id, email, password, challenge } = await challenged()
    const codes: Json[] = [undefined, null, [], {}, '', 0, 123456, true, ['123456'], { $ne: '' }]
    for (const code of codes)
      for (const token of [challenge, undefined, null, '', []])
        for (const credentials of [{ email, password }, {}]) {
          const body = JSON.parse(JSON.stringify({ ...credentials, code, token }))
          if (!('code' in body) && !('token' in body)) continue
          const { status } = await api(server, 'POST /sign-in/email', body)
          expect({ body, status }).toEqual({ body, status: 400 })
        }
    expect(await sessionsOf(id)).toBe(1)
  })

  it('RL-06 a challenge takes three tries, the right code included', async () => {
    const { secret, challenge } = await challenged()
    for (let index = 0; index < 3; index += 1)
      expect(
        (await api(server, 'POST /sign-in/email', { code: '000000', token: challenge })).status,
      ).toBe(400)
    expect(
      (await api(server, 'POST /sign-in/email', { code: await totp(secret), token: challenge }))
        .body.error,
    ).toBe('invalid_code')
  })

  it('RL-06 RL-08 an account takes five wrong codes in fifteen minutes over all challenges, whatever right passwords come between', async () => {
    const { secret, email, password } = await challenged()
    let last = { status: 0 }
    for (let index = 0; index < 6; index += 1) {
      const { body } = await api(server, 'POST /sign-in/email', { email, password })
      const code = index === 5 ? await totp(secret) : '000000'
      last = await api(server, 'POST /sign-in/email', { code, token: body.token })
    }
    expect(last).toMatchObject({ status: 429, body: { error: 'too_many_requests' } })
  })

  it('TF-03 one code is accepted once, for 50 callers at a time and over several challenges', async () => {
    const { id, secret, email, password, challenge } = await challenged()
    const others = await Promise.all(
      [1, 2, 3].map(() => api(server, 'POST /sign-in/email', { email, password })),
    )
    const tokens = [challenge, ...others.map(({ body }) => body.token as string)]
    const code = await totp(secret)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        api(server, 'POST /sign-in/email', { code, token: tokens[index % tokens.length] }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => ![200, 400, 429].includes(status))).toEqual([])
    expect(await sessionsOf(id)).toBe(2)
  })

  it('a challenge of another purpose, or of a hosted page, fails', async () => {
    const { token, secret, email } = await challenged()
    const disable = await api(server, 'POST /disable/mfa', {}, { token })
    expect(
      (
        await api(server, 'POST /sign-in/email', {
          email,
          code: await totp(secret),
          token: disable.body.token,
        })
      ).body.error,
    ).toBe('invalid_code')
    const account = await server.context.database.em.fork().findOneOrFail(Account, { email })
    const { challenge } = await server.context.challenges.issue(account.id, 'interaction:abc')
    expect(
      (await api(server, 'POST /sign-in/email', { code: await totp(secret), token: challenge }))
        .body.error,
    ).toBe('invalid_code')
  })

  it('SE-07 PW-10 a challenge ends with the account, with a reset and with signing out everywhere', async () => {
    for (const end of [
      ({ id }: { id: string }) =>
        server.context.database.em.fork().nativeUpdate(Account, { id }, { status: 'disabled' }),
      ({ id }: { id: string }) => server.context.passwords.replace(id, 'ember quilt nine lantern'),
      ({ token }: { token: string }) =>
        api(server, 'DELETE /user/logout-all', undefined, { token }),
    ]) {
      const person = await challenged()
      await end(person)
      const answer = await api(server, 'POST /sign-in/email', {
        code: await totp(person.secret),
        token: person.challenge,
      })
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_code' } })
      expect(await isAlive(server, person.token)).toBe(false)
    }
  })

  it('expires after ten minutes', async () => {
    const { secret, challenge, id } = await challenged()
    await server.context.database.em
      .fork()
      .nativeUpdate(MfaChallenge, { account: id }, { expiresAt: new Date() })
    expect(
      (await api(server, 'POST /sign-in/email', { code: await totp(secret), token: challenge }))
        .body.error,
    ).toBe('invalid_code')
  })
})
