import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { PendingSignUp } from '../../src/entities/index.ts'
import { api, signedIn, startApi } from '../support/api.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import type { TestServer } from '../support/server.ts'

const UUID = expect.stringMatching(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
const STARTED = { userId: UUID, tokenId: UUID, expires_in: 600 }

let server: TestServer
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

let made = 0
const address = () => `grace.${++made}@example.org`

async function begin(email = address(), password = PASSWORD, from?: string) {
  const { body } = await api(
    server,
    'POST /sign-up/email',
    { name: 'Grace Hopper', email, password },
    from ? { from } : {},
  )
  return { email, userId: body.userId as string, tokenId: body.tokenId as string }
}

/** Names of which nobody sees anything: joiners, fillers, blanks and marks, alone and together. */
const INKLESS = [
  '\u200b',
  '\u3164',
  '\u200b \u3164',
  '\u2800',
  '\uffa0\u115f',
  '\u00ad',
  '\u200d\ufe0f',
  '\ufeff\u2060',
]

describe('sign-up', () => {
  it('mails a code that makes the account, which then signs in under the id that was promised', async () => {
    const started = await api(server, 'POST /sign-up/email', {
      name: ' Grace Hopper ',
      email: 'Grace@EXAMPLE.org',
      password: PASSWORD,
    })
    expect(started).toMatchObject({ status: 202, body: STARTED })
    const { userId, tokenId } = started.body
    const code = await server.inbox.code('grace@example.org')
    const verified = await api(server, 'POST /verify/email', {
      code,
      userId,
      tokenId,
      email: 'grace@example.org',
    })
    expect(verified).toMatchObject({
      status: 200,
      body: {
        user: {
          id: userId,
          name: 'Grace Hopper',
          email: 'grace@example.org',
          email_verified: true,
          mfa_enabled: false,
        },
      },
    })
    const { body } = await api(server, 'POST /sign-in/email', {
      email: 'grace@example.org',
      password: PASSWORD,
    })
    expect(body).toMatchObject({
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'account',
      user: { id: userId },
      session: { current: true },
    })
  })

  it('EN-03 answers the same for an address with an account, and mails the truth', async () => {
    const { email, id } = await createAccount(server)
    const answer = await api(server, 'POST /sign-up/email', {
      name: 'Mallory',
      email,
      password: PASSWORD,
    })
    expect(answer).toMatchObject({ status: 202, body: STARTED })
    expect(answer.body.userId).not.toBe(id)
    expect((await server.inbox.next(email)).subject).toMatch(/already/i)
  })

  it('EN-03 no code of such a sign-up exists anywhere, and the account keeps its password', async () => {
    const { email, password } = await createAccount(server)
    const { userId, tokenId } = await begin(email, 'ember quilt nine lantern')
    for (const code of ['000000', '123456']) {
      expect(
        await api(server, 'POST /verify/email', { code, userId, tokenId, email }),
      ).toMatchObject({
        status: 400,
        body: { error: 'invalid_code' },
      })
    }
    expect((await api(server, 'POST /sign-in/email', { email, password })).status).toBe(200)
    expect(
      (await server.inbox.mails(email)).every(({ text }) => !/\b\d{3} ?\d{3}\b/.test(text)),
    ).toBe(true)
  })

  it.each([
    ['too short', 'plum ladder', 'too_short'],
    ['common', 'passwordpassword', 'too_common'],
    ['too long', 'x'.repeat(257), 'too_long'],
    ['the address', 'grace@example.org', 'too_personal'],
  ])(
    'PW-01 PW-02 PW-04 PW-05 refuses a password that is %s, with the reason',
    async (_what, password, reason) => {
      const { status, body } = await api(server, 'POST /sign-up/email', {
        name: 'Grace Hopper',
        email: 'grace@example.org',
        password,
      })
      expect({ status, body }).toMatchObject({
        status: 400,
        body: { error: 'password_rejected', fields: { password: reason } },
      })
    },
  )

  it('EM-09 EM-12 EM-13 takes neither a proven address, nor two addresses, nor markup in a name', async () => {
    const good = { name: 'Grace Hopper', email: address(), password: PASSWORD }
    for (const field of ['email_verified', 'emailVerified', 'verified'])
      expect(await api(server, 'POST /sign-up/email', { ...good, [field]: true })).toMatchObject({
        status: 400,
        body: { error: 'invalid_input', fields: { [field]: 'unknown_field' } },
      })
    for (const email of [
      'a@example.org,b@example.org',
      'a@example.org\r\nbcc: b@example.org',
      '<a@example.org>',
      'a b@example.org',
      'a@',
    ])
      expect(await api(server, 'POST /sign-up/email', { ...good, email })).toMatchObject({
        status: 400,
        body: { fields: { email: 'invalid_email' } },
      })
    for (const name of [
      '<a href=//evil>',
      'Visit http://evil.example',
      ' ',
      'x'.repeat(101),
      'Ada \ud800',
      ...INKLESS,
    ])
      expect(await api(server, 'POST /sign-up/email', { ...good, name })).toMatchObject({
        status: 400,
        body: { fields: { name: 'invalid_name' } },
      })
  })

  it('EM-13 takes names of every script, joiners included', async () => {
    for (const name of ['Ada', '陈', 'محمد', '👩\u200d💻', 'क्\u200dष', '\u3164Ada', '¿?'])
      expect([
        name,
        (await api(server, 'POST /sign-up/email', { name, email: address(), password: PASSWORD }))
          .status,
      ]).toEqual([name, 202])
  })

  it('is closed to a caller who is signed in', async () => {
    const { token } = await signedIn(server)
    for (const route of [
      'POST /sign-up/email',
      'POST /verify/email',
      'POST /resend/verify/email',
      'POST /sign-in/email',
      'PATCH /forgot/password',
    ])
      expect(await api(server, route, {}, { token })).toMatchObject({
        status: 403,
        body: { error: 'already_signed_in' },
      })
  })

  it('a token that is not valid does not close it', async () => {
    expect(
      (await api(server, 'POST /resend/verify/email', { email: address() }, { token: 'a.b.c' }))
        .status,
    ).toBe(202)
  })
})

describe('the mailed code', () => {
  it('EM-03 RL-06 dies with the fifth wrong try, the right code included', async () => {
    const { email, userId, tokenId } = await begin()
    const code = await server.inbox.code(email)
    const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
    for (let index = 0; index < 5; index += 1)
      expect(
        (await api(server, 'POST /verify/email', { code: wrong, userId, tokenId, email })).body
          .error,
      ).toBe('invalid_code')
    expect(await api(server, 'POST /verify/email', { code, userId, tokenId, email })).toMatchObject(
      {
        status: 400,
        body: { error: 'invalid_code' },
      },
    )
  })

  it('EM-01 is bound to sign-up, address and purpose', async () => {
    const [mine, other] = [await begin(), await begin()]
    const code = await server.inbox.code(mine.email)
    const foreign = [
      { ...mine, userId: other.userId, code },
      { ...mine, tokenId: other.tokenId, code },
      { ...mine, email: other.email, code },
    ]
    for (const body of foreign)
      expect((await api(server, 'POST /verify/email', body)).body.error).toBe('invalid_code')

    const third = await begin()
    const reset = await api(server, 'PATCH /forgot/password', {
      email: third.email,
      password: PASSWORD,
      tokenId: third.tokenId,
      code: await server.inbox.code(third.email),
    })
    expect(reset).toMatchObject({ status: 400, body: { error: 'invalid_code' } })
  })

  it('EM-03 is good once, also for 50 callers at a time', async () => {
    const { email, userId, tokenId } = await begin()
    const code = await server.inbox.code(email)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        api(server, 'POST /verify/email', { code, userId, tokenId, email }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(
      answers.filter(({ status, body }) => status === 400 && body.error === 'invalid_code'),
    ).toHaveLength(49)
  })

  it('EM-02 expires after ten minutes', async () => {
    const { email, userId, tokenId } = await begin()
    const code = await server.inbox.code(email)
    await server.context.database.pool.query(
      `update "verification_token" set "expires_at" = now() where "id" = $1`,
      [tokenId],
    )
    expect(
      (await api(server, 'POST /verify/email', { code, userId, tokenId, email })).body.error,
    ).toBe('invalid_code')
  })

  it('EM-03 a newer one does not void the older, and the one that is used ends the other', async () => {
    const first = await begin()
    const old = await server.inbox.code(first.email)
    const resent = await api(server, 'POST /resend/verify/email', { email: first.email })
    expect(resent).toMatchObject({ status: 202, body: { ...STARTED, userId: first.userId } })
    const { email, userId } = first
    const code = await server.inbox.code(email)
    expect(
      (
        await api(server, 'POST /verify/email', {
          code: old,
          userId,
          tokenId: first.tokenId,
          email,
        })
      ).status,
    ).toBe(200)
    expect(
      (
        await api(server, 'POST /verify/email', {
          code,
          userId,
          tokenId: resent.body.tokenId,
          email,
        })
      ).status,
    ).toBe(400)
  })

  it('AA-01 is mailed three times an hour for one network; the codes that were mailed stay good', async () => {
    const from = '203.0.113.77'
    const { email, userId } = await begin(address(), PASSWORD, from)
    let code = await server.inbox.code(email)
    let tokenId = ''
    for (let index = 0; index < 20; index += 1) {
      const { body } = await api(server, 'POST /resend/verify/email', { email }, { from })
      if (index < 2) code = await server.inbox.code(email)
      tokenId = body.tokenId
    }
    await server.context.worker.drain()
    expect(await server.inbox.mails(email)).toHaveLength(3)
    expect((await api(server, 'POST /verify/email', { code, userId, tokenId, email })).status).toBe(
      200,
    )
  })
})

describe('an address that is not proven', () => {
  it('signs nobody in: 403 names the sign-up, and its code finishes it', async () => {
    const { email, userId } = await begin()
    const refused = await api(server, 'POST /sign-in/email', { email, password: PASSWORD })
    expect(refused).toMatchObject({
      status: 403,
      body: { error: 'email_unverified', userId, tokenId: UUID },
    })
    const code = await server.inbox.code(email)
    const verified = await api(server, 'POST /verify/email', {
      code,
      userId,
      tokenId: refused.body.tokenId,
      email,
    })
    expect(verified.status).toBe(200)
  })

  it('says nothing of itself to a wrong password', async () => {
    const { email } = await begin()
    expect(
      await api(server, 'POST /sign-in/email', { email, password: 'not this one at all' }),
    ).toMatchObject({
      status: 401,
      body: { error: 'invalid_credentials' },
    })
  })

  it('EM-11 a second sign-up for it puts neither password in force without its own proof', async () => {
    const attacker = await begin(address(), 'the attacker chose this')
    await server.inbox.code(attacker.email)
    const owner = await begin(attacker.email, 'the owner chose this one')
    const code = await server.inbox.code(owner.email)
    expect((await api(server, 'POST /verify/email', { ...owner, code })).status).toBe(200)
    expect((await api(server, 'POST /verify/email', { ...attacker, code })).status).toBe(400)
    const { email } = owner
    expect(
      (await api(server, 'POST /sign-in/email', { email, password: 'the attacker chose this' }))
        .status,
    ).toBe(401)
    expect(
      (await api(server, 'POST /sign-in/email', { email, password: 'the owner chose this one' }))
        .status,
    ).toBe(200)
    expect(await server.context.database.em.fork().count(PendingSignUp, { email })).toBe(0)
  })
})
