import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { CAPS } from '../../src/config/limits.ts'
import { type ApiAnswer, api, signedIn as byApi, startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import type { TestServer } from '../support/server.ts'
import { addresses, atSignUp, isSignedIn, signedIn } from './attacks.ts'

const NEW = 'ember quilt nine lantern'
const elsewhere = addresses()

let server: TestServer
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

let made = 0
const address = () => `outsider.${++made}@example.org`
/** Another code than any of these. */
const wrong = (...codes: string[]) =>
  ['111111', '222222', '333333', '444444'].find((code) => !codes.includes(code)) ?? ''

interface Started {
  readonly email: string
  readonly userId: string
  readonly tokenId: string
}

async function signUp(email: string, password = PASSWORD): Promise<Started> {
  const { body } = await api(server, 'POST /sign-up/email', {
    name: 'Grace Hopper',
    email,
    password,
  })
  return { email, userId: body.userId, tokenId: body.tokenId }
}

async function resend(email: string): Promise<Started> {
  const { userId, tokenId } = (await api(server, 'POST /resend/verify/email', { email })).body
  return { email, userId, tokenId }
}

async function forgot(email: string, from?: string): Promise<{ email: string; tokenId: string }> {
  const { body } = await api(server, 'PATCH /forgot/password', { email }, from ? { from } : {})
  return { email, tokenId: body.tokenId }
}

const verify = (page: Started, code: string) => api(server, 'POST /verify/email', { ...page, code })
const reset = (page: { email: string; tokenId: string }, code: string) =>
  api(server, 'PATCH /forgot/password', { ...page, code, password: NEW })
const statusOf = async (answer: Promise<ApiAnswer>) => (await answer).status

/**
 * A server of its own mind about mails of an address: as many as strangers together may cause have
 * gone out.
 */
async function exhaust(email: string): Promise<void> {
  for (let index = 0; index < CAPS.mailsPerHourTogether + 2; index += 1) await forgot(email)
}

describe('EM-03 what somebody else asks for', () => {
  it('voids no code of a sign-up or a reset that is still good', async () => {
    const owner = await signUp(address())
    const code = await server.inbox.code(owner.email)
    await signUp(owner.email, 'chosen by a stranger today')
    await resend(owner.email)
    expect((await verify(owner, code)).body).toMatchObject({ user: { id: owner.userId } })
    expect(
      await statusOf(
        api(server, 'POST /sign-in/email', { email: owner.email, password: PASSWORD }),
      ),
    ).toBe(200)

    const { email } = owner
    const page = await forgot(email)
    const second = await server.inbox.code(email)
    await forgot(email)
    expect(await statusOf(reset(page, second))).toBe(200)
  })

  it('and any code that is mailed is good in every page that waits for one', async () => {
    const owner = await signUp(address())
    await server.inbox.code(owner.email)
    const stranger = await signUp(owner.email, 'chosen by a stranger today')
    const later = await server.inbox.code(owner.email)
    expect((await verify(owner, later)).body).toMatchObject({
      user: { id: owner.userId, name: 'Grace Hopper' },
    })
    // The sign-up of the other page ended in the same transaction.
    expect(await statusOf(verify(stranger, later))).toBe(400)
    const passwords = [PASSWORD, 'chosen by a stranger today'].map((password) => ({
      email: owner.email,
      password,
    }))
    expect(
      await Promise.all(
        passwords.map((body) => statusOf(api(server, 'POST /sign-in/email', body))),
      ),
    ).toEqual([200, 401])
  })

  it('takes no password away: several sign-ups and a request for another code leave the owner’s page what it was', async () => {
    const owner = await signUp(address())
    const code = await server.inbox.code(owner.email)
    await signUp(owner.email, 'chosen by a stranger today')
    expect((await resend(owner.email)).userId).not.toBe(owner.userId)
    expect(await statusOf(verify(owner, code))).toBe(200)
    expect(
      await statusOf(
        api(server, 'POST /sign-in/email', { email: owner.email, password: PASSWORD }),
      ),
    ).toBe(200)
  })

  it('EM-11 a code that was asked for by address alone puts none of several passwords in force', async () => {
    const { email } = await signUp(address(), 'chosen by a stranger today')
    await signUp(email, 'chosen by another stranger')
    await server.context.worker.drain()
    await server.inbox.next(email)
    const page = await resend(email)
    expect(await statusOf(verify(page, await server.inbox.code(email)))).toBe(200)
    for (const password of ['chosen by a stranger today', 'chosen by another stranger'])
      expect(await statusOf(api(server, 'POST /sign-in/email', { email, password }))).toBe(401)
  })
})

describe('RL-06 wrong codes', () => {
  it('in 100 pages get five tries together: the right code is then refused in the 101st and accepted in the owner’s', async () => {
    const { email } = await createAccount(server)
    const owner = await forgot(email)
    const code = await server.inbox.code(email)
    for (let page = 0; page < 100; page += 1)
      expect(await statusOf(reset(await forgot(email), wrong(code)))).toBe(400)
    expect(await statusOf(reset(await forgot(email), code))).toBe(400)
    expect(await statusOf(reset(owner, code))).toBe(200)
  })

  it('of a sign-up likewise, and the page that asked has five tries of its own', async () => {
    const owner = await signUp(address())
    const code = await server.inbox.code(owner.email)
    for (let page = 0; page < 100; page += 1) {
      expect((await verify(await resend(owner.email), wrong(code))).body.error).toBe('invalid_code')
    }
    const late = await signUp(owner.email, 'chosen by a stranger today')
    expect(await statusOf(verify(late, code))).toBe(400)
    for (let tried = 1; tried < CAPS.codeTries; tried += 1)
      expect(await statusOf(verify(owner, wrong(code)))).toBe(400)
    expect(await statusOf(verify(owner, code))).toBe(200)
  })

  it('EN-01 an address that nobody has is answered alike, page by page', async () => {
    const { email: known } = await createAccount(server)
    const seen: unknown[] = []
    for (const email of [known, address()]) {
      const answers: unknown[] = []
      for (let page = 0; page < 8; page += 1) {
        const { status, body } = await reset(await forgot(email), '000000')
        answers.push([status, body.error])
      }
      seen.push(answers)
    }
    expect(seen[1]).toEqual(seen[0])
  })

  it('void no link, however many they were', async () => {
    const { email } = await createAccount(server)
    const page = await forgot(email)
    const link = await server.inbox.link(email, '/reset-password')
    for (let tried = 0; tried < 12; tried += 1) await reset(page, '000000')
    const browser = new Browser(server.origin, { headers: elsewhere() })
    await browser.visit(link)
    expect((await browser.submit('/reset-password', { password: NEW })).status).toBe(200)
  })

  it('RL-02 at once from 60 pages get no more than five tries', async () => {
    const { email } = await createAccount(server)
    const pages = await Promise.all(Array.from({ length: 60 }, () => forgot(email)))
    await Promise.all(pages.map((page) => reset(page, '000000')))
    const { rows } = await server.context.database.pool.query<{ failures: number }>(
      `select "failures" from "attempt_counter" where "subject" = sha256(convert_to($1, 'UTF8')) and "factor" = 'otp'`,
      [`code:reset_password:${email}`],
    )
    expect(rows).toEqual([{ failures: CAPS.codeFailures }])
  })
})

describe('a right code', () => {
  it('is not burnt by a wrong address', async () => {
    const owner = await signUp(address())
    const code = await server.inbox.code(owner.email)
    for (let tried = 0; tried < 8; tried += 1)
      expect(await statusOf(verify({ ...owner, email: address() }, code))).toBe(400)
    expect(await statusOf(verify(owner, code))).toBe(200)

    const page = await forgot(owner.email)
    const second = await server.inbox.code(owner.email)
    for (let tried = 0; tried < 8; tried += 1)
      expect(await statusOf(reset({ ...page, email: address() }, second))).toBe(400)
    expect(await statusOf(reset(page, second))).toBe(200)

    const { token } = await byApi(server)
    const email = address()
    const { tokenId } = (await api(server, 'PATCH /edit/email', { email }, { token })).body
    const third = await server.inbox.code(email)
    const edit = (body: object) =>
      api(server, 'PATCH /edit/email', { tokenId, code: third, ...body }, { token })
    expect(await statusOf(edit({ email: address() }))).toBe(400)
    expect(await statusOf(edit({ email }))).toBe(200)
  })

  it('of somebody else’s request changes the address of who has asked for it, and of nobody else', async () => {
    const [owner, stranger, bystander] = [
      await byApi(server),
      await byApi(server),
      await byApi(server),
    ]
    const email = address()
    const mine = (await api(server, 'PATCH /edit/email', { email }, { token: owner.token })).body
    await server.inbox.code(email)
    await api(server, 'PATCH /edit/email', { email }, { token: stranger.token })
    const code = await server.inbox.code(email)
    const by = (token: string) =>
      statusOf(api(server, 'PATCH /edit/email', { email, code, tokenId: mine.tokenId }, { token }))
    expect(await by(bystander.token)).toBe(400)
    expect(await by(owner.token)).toBe(200)
  })
})

describe('AA-01 mails of an address', () => {
  it('are three an hour for one network, which takes nobody else’s', async () => {
    const { email } = await createAccount(server)
    for (let index = 0; index < 20; index += 1) await forgot(email, '203.0.113.20')
    await server.context.worker.drain()
    expect(await server.inbox.mails(email)).toHaveLength(CAPS.mailsPerHour)
    const page = await forgot(email)
    expect(await statusOf(reset(page, await server.inbox.code(email)))).toBe(200)
  })

  it('are left to the owner’s browser when strangers have used up theirs, and to who is signed in', async () => {
    const { email } = await createAccount(server)
    const home = await signedIn(server, { email }, { headers: elsewhere() })
    await exhaust(email)
    await server.context.worker.drain()
    const before = (await server.inbox.mails(email)).length
    await home.visit('/forgot-password')
    await home.submit('/forgot-password', { email })
    await server.context.worker.drain()
    expect(await server.inbox.mails(email)).toHaveLength(before + 1)

    const owner = await byApi(server)
    await exhaust(owner.email)
    await server.context.worker.drain()
    const sent = (await server.inbox.mails(owner.email)).length
    await api(
      server,
      'PATCH /edit/password',
      { current_password: owner.password },
      { token: owner.token },
    )
    await server.context.worker.drain()
    expect(await server.inbox.mails(owner.email)).toHaveLength(sent + 1)
  })
})

describe('a sign-up’s link', () => {
  it('EM-11 finishes the sign-up of the browser that opens it, whoever’s mail it came in', async () => {
    const email = address()
    const owner = await atSignUp(server, { headers: elsewhere() })
    await owner.submit('/sign-up', { name: 'Grace', email, password: PASSWORD })
    await server.inbox.code(email)
    const { userId } = await signUp(email, 'chosen by a stranger today')
    const link = await server.inbox.link(email, '/verify-email')
    await owner.visit(link)
    expect((await owner.submit('/verify-email')).h1).toBe('Your address is confirmed')
    await signedIn(server, { email }, { headers: elsewhere() })
    expect((await server.context.accounts.findActive(userId))?.id).toBeUndefined()
  })

  it('PW-01 asks another browser for a password that is good enough, and keeps the link until it has one', async () => {
    const { email } = await signUp(address(), 'chosen by a stranger today')
    const link = await server.inbox.link(email, '/verify-email')
    const browser = new Browser(server.origin, { headers: elsewhere() })
    await browser.visit(link)
    const refused = await browser.submit('/verify-email', { password: 'short' })
    expect([refused.status, refused.h1]).toEqual([400, 'Choose a password'])
    expect(await isSignedIn(browser)).toBe(false)
    expect((await browser.submit('/verify-email', { password: NEW })).status).toBe(200)
    await signedIn(server, { email, password: NEW }, { headers: elsewhere() })
  })
})

describe('EM-12 addresses', () => {
  it.each([
    '-oQ/tmp@example.org',
    '-@example.org',
    '=?utf-8?q?a?=@example.org',
    'a=?b@example.org',
  ])('that a mail program may take for something else are refused: %s', async (email) => {
    for (const [route, body] of [
      ['POST /sign-up/email', { name: 'Ada', email, password: PASSWORD }],
      ['POST /resend/verify/email', { email }],
      ['PATCH /forgot/password', { email }],
    ] as const)
      expect(await api(server, route, body)).toMatchObject({
        status: 400,
        body: { fields: { email: 'invalid_email' } },
      })
  })

  it('with a dash or an equals sign elsewhere are good', async () => {
    for (const email of ['a-b@example.org', 'a=b@example.org', 'a-@example.org'])
      expect(await statusOf(api(server, 'PATCH /forgot/password', { email }))).toBe(202)
  })
})
