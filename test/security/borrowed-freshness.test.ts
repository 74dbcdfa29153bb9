import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
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
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { enableMfa, enter } from '../support/people.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'

const REFUSED = { status: 403, body: { error: 'reauthentication_required' } }
const ELSEWHERE = 'thief@example.net'

let server: TestServer
beforeAll(async () => {
  server = await startApi()
})
afterAll(() => server.stop())

const load = (id: string) => server.context.database.em.fork().findOneOrFail(Account, { id })
const prove = (token: string, body: object) => api(server, 'POST /verification', body, { token })
const changeAddress = (token: string, body: object = {}) =>
  api(server, 'PATCH /edit/email', { email: ELSEWHERE, ...body }, { token })

/** An app that the person has let manage the account, a moment after they signed in to it. */
async function appOf(
  account: { email: string; password: string },
  browser = new Browser(server.origin),
) {
  const app = await relyingParty(server, { accountApi: true })
  await browser.visit(
    app.authorizationUrl({ scope: 'openid account', resource: `${server.origin}/api/auth` }),
  )
  if (browser.page.step !== 'consent') await enter(browser, account)
  return { app, token: await tokenOf(app, browser), browser }
}
async function tokenOf(app: RelyingParty, browser: Browser): Promise<string> {
  return (await app.redeem((await browser.submit('/consent', {}, { button: 'allow' })).url))
    .access_token
}

describe('SE-10 freshness is not inherited by who holds a token', () => {
  it('an app with a sign-in of a moment ago changes no address, and does nothing else that is sensitive', async () => {
    const account = await createAccount(server)
    const { token } = await appOf(account)
    expect((await api(server, 'POST /user/me', undefined, { token })).status).toBe(200)
    for (const [route, body] of [
      ['PATCH /edit/email', { email: ELSEWHERE }],
      ['POST /enable/mfa', {}],
      ['POST /disable/mfa', {}],
      ['POST /recovery-codes', {}],
      ['GET /user/export', undefined],
      ['DELETE /user', {}],
    ] as const)
      expect({ route, ...(await api(server, route, body, { token })) }).toMatchObject({
        route,
        ...REFUSED,
      })
    expect(await load(account.id)).toMatchObject({
      email: account.email,
      mfaEnabled: false,
      status: 'active',
    })
  })

  it('the refusal says what is missing, in the words of RFC 9470', async () => {
    const account = await createAccount(server)
    const { token } = await appOf(account)
    const plain = (await changeAddress(token)).headers.get('www-authenticate')
    expect(plain).toBe(
      'Bearer realm="account", error="insufficient_user_authentication", max_age="600"',
    )
    const owner = await signedIn(server)
    await withMfa(server, owner)
    await age(server, owner, 601)
    const strong = (await changeAddress(owner.token)).headers.get('www-authenticate')
    expect(strong).toContain('acr_values="urn:gatehouse:acr:2fa"')
  })

  it('a proof made at the account API is for this client of this session, and for ten minutes', async () => {
    const account = await createAccount(server)
    const { token, browser } = await appOf(account)
    const { token: other } = await appOf(account, browser)
    const own = await signIn(server, account)
    await age(server, own, 601)
    expect(await prove(token, { password: account.password })).toMatchObject({
      status: 200,
      body: { expires_in: 600 },
    })
    expect((await changeAddress(token, { email: `new.${account.email}` })).status).toBe(202)
    expect(await changeAddress(other)).toMatchObject(REFUSED)
    expect(await changeAddress(own.token)).toMatchObject(REFUSED)
    await server.context.database.pool.query(
      `update "session_proof" set "proved_at" = "proved_at" - interval '601 seconds'`,
    )
    expect(await changeAddress(token)).toMatchObject(REFUSED)
    expect(
      (await changeAddress(token, { email: `new.${account.email}`, password: account.password }))
        .status,
    ).toBe(202)
  })

  it('the account area is as fresh as before, and an app’s proof leaves it alone', async () => {
    const account = await createAccount(server)
    const { token, browser } = await appOf(account)
    await server.context.database.pool.query(
      `update "oidc_artifact" set "payload" = jsonb_set("payload", '{loginTs}', to_jsonb(("payload"->>'loginTs')::int - 601)) where "model" = 'Session' and "account_id" = $1`,
      [account.id],
    )
    await prove(token, { password: account.password })
    expect((await browser.visit('/account/email')).h1).toBe('Confirm it is you')
  })

  it('with two-step sign-in on it takes a code: the password proves nothing, and a proof from before counts no more', async () => {
    const owner = await signedIn(server)
    expect((await prove(owner.token, { password: owner.password })).status).toBe(200)
    const { secret, recoveryCodes } = await withMfa(server, owner)
    await age(server, owner, 601)
    expect(await changeAddress(owner.token)).toMatchObject(REFUSED)
    const refused = await prove(owner.token, { password: owner.password })
    expect(refused).toMatchObject({
      status: 401,
      body: { error: 'mfa_required', methods: ['totp', 'recovery'] },
    })
    expect(await changeAddress(owner.token, { password: owner.password })).toMatchObject(REFUSED)
    expect((await prove(owner.token, { code: '000000' })).body.error).toBe('invalid_code')
    expect(await changeAddress(owner.token)).toMatchObject(REFUSED)
    expect((await prove(owner.token, { code: await totp(secret) })).status).toBe(200)
    expect((await changeAddress(owner.token, { email: `new.${owner.email}` })).status).toBe(202)
    await age(server, owner, 601)
    expect((await prove(owner.token, { code: recoveryCodes[0] })).status).toBe(200)
    expect((await prove(owner.token, { code: recoveryCodes[0] })).status).toBe(400)
  })

  it('RL-01 RL-06 every try counts as one at signing in', async () => {
    const owner = await signedIn(server)
    const wrong = await Promise.all(
      Array.from({ length: 30 }, () => prove(owner.token, { password: 'wrong' })),
    )
    expect(wrong.filter(({ status }) => status === 401)).toHaveLength(10)
    expect(wrong.filter(({ status }) => status === 429)).toHaveLength(20)
    expect((await prove(owner.token, { password: owner.password })).status).toBe(429)
    expect(
      (await api(server, 'POST /sign-in/email', { email: owner.email, password: owner.password }))
        .status,
    ).toBe(429)

    const other = await signedIn(server)
    await withMfa(server, other)
    const guesses = await Promise.all(
      Array.from({ length: 30 }, () => prove(other.token, { code: '000000' })),
    )
    expect(guesses.filter(({ status }) => status === 400)).toHaveLength(5)
    expect(guesses.filter(({ status }) => status === 429)).toHaveLength(25)
  })

  it('50 proofs by one recovery code at once: one counts', async () => {
    const owner = await signedIn(server)
    const { recoveryCodes } = await withMfa(server, owner)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => prove(owner.token, { code: recoveryCodes[0] })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  describe('of an account with neither password nor second factor', () => {
    /** Signed in long ago; such an account has only its mailbox. */
    async function bare() {
      const { id, email } = await createAccount(server, { password: null })
      const proven = { accountId: id, proofs: [], credentialVersion: 1 }
      const { tokens, session } = await server.context.firstPartyTokens.issue(proven, {
        ip: '192.0.2.1',
        userAgent: '',
        requestId: 'test',
      })
      await age(server, { sessionId: session.id }, 601)
      return { id, email, token: tokens.access_token }
    }

    it('takes a mailed code in two calls, once', async () => {
      const { email, token } = await bare()
      expect(await changeAddress(token)).toMatchObject(REFUSED)
      const begun = await prove(token, {})
      expect(begun).toMatchObject({
        status: 202,
        body: { tokenId: expect.any(String), expires_in: 600 },
      })
      expect(await changeAddress(token)).toMatchObject(REFUSED)
      const answer = { tokenId: begun.body.tokenId, code: await server.inbox.code(email) }
      expect(await prove(token, answer)).toMatchObject({ status: 200, body: { expires_in: 600 } })
      expect((await changeAddress(token, { email: `new.${email}` })).status).toBe(202)
      expect((await prove(token, answer)).body.error).toBe('invalid_code')
    })

    it('the code is good for the session that asked, and for no purpose of another', async () => {
      const owner = await bare()
      const proven = { accountId: owner.id, proofs: [], credentialVersion: 1 }
      const other = await server.context.firstPartyTokens.issue(proven, {
        ip: '192.0.2.2',
        userAgent: '',
        requestId: 'test',
      })
      const { tokenId } = (await prove(owner.token, {})).body
      const code = await server.inbox.code(owner.email)
      expect((await prove(other.tokens.access_token, { tokenId, code })).body.error).toBe(
        'invalid_code',
      )
      const own = (await prove(other.tokens.access_token, {})).body
      expect(
        (await prove(other.tokens.access_token, { tokenId: own.tokenId, code })).body.error,
      ).toBe('invalid_code')
      const reset = { email: owner.email, password: 'ember quilt nine lantern', tokenId, code }
      expect((await api(server, 'PATCH /forgot/password', reset)).body.error).toBe('invalid_code')
      expect((await prove(owner.token, { tokenId, code })).status).toBe(200)
    })

    it('RL-06 wrong codes are counted, and 50 at once with the right one are one proof', async () => {
      const owner = await bare()
      const { tokenId } = (await prove(owner.token, {})).body
      const code = await server.inbox.code(owner.email)
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => prove(owner.token, { tokenId, code })),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      const guesser = await bare()
      const begun = (await prove(guesser.token, {})).body
      const guesses = []
      for (let index = 0; index < 7; index += 1)
        guesses.push(
          (await prove(guesser.token, { tokenId: begun.tokenId, code: '000000' })).status,
        )
      expect(guesses).toEqual([400, 400, 400, 400, 400, 429, 429])
    })

    it('an account that has one of them is mailed nothing', async () => {
      const plain = await signedIn(server)
      expect(await prove(plain.token, {})).toMatchObject({
        status: 401,
        body: { error: 'invalid_credentials' },
      })
      await withMfa(server, plain)
      expect(await prove(plain.token, {})).toMatchObject({
        status: 401,
        body: { error: 'mfa_required' },
      })
      const mailed = { tokenId: crypto.randomUUID(), code: '123456' }
      expect(await prove(plain.token, mailed)).toMatchObject({
        status: 401,
        body: { error: 'mfa_required' },
      })
    })
  })

  it('ends with its session', async () => {
    const account = await createAccount(server)
    const { token, browser } = await appOf(account)
    await prove(token, { password: account.password })
    await browser.visit('/account')
    await browser.submit('/account/sign-out')
    expect((await changeAddress(token)).status).toBe(401)
    const { rows } = await server.context.database.pool.query(
      'select from "session_proof" p join "session" s on s."id" = p."session_id" where s."account_id" = $1',
      [account.id],
    )
    expect(rows).toEqual([])
  })
})

describe('two stories of how an account was taken over', () => {
  it('a session from before two-step sign-in gets recovery codes, turns it off and changes the address: refused at each step', async () => {
    const owner = await signedIn(server)
    const thief: SignedIn = { ...owner, ...(await signIn(server, owner)) }
    const thiefsBrowser = new Browser(server.origin)
    await thiefsBrowser.visit('/account/recovery-codes')
    await enter(thiefsBrowser, owner)
    await withMfa(server, owner)
    expect((await api(server, 'POST /recovery-codes', {}, { token: thief.token })).status).toBe(401)
    expect(
      (await api(server, 'PATCH /user/refresh', { refresh_token: thief.refreshToken })).status,
    ).toBe(401)
    expect((await api(server, 'POST /disable/mfa', {}, { token: thief.token })).status).toBe(401)
    for (const path of ['recovery-codes', 'mfa/disable', 'email'])
      expect((await thiefsBrowser.visit(`/account/${path}`)).h1).toBe('Sign in')
    expect(await load(owner.id)).toMatchObject({ mfaEnabled: true, email: owner.email })
  })

  it('an app changes the address with the token of a fresh sign-in and asks for a reset there: refused at the first step', async () => {
    const account = await createAccount(server)
    await enableMfa(server, account)
    const plain = await createAccount(server)
    const { token } = await appOf(plain)
    expect(await changeAddress(token)).toMatchObject(REFUSED)
    expect((await changeAddress(token, { password: 'a guess' })).status).toBe(401)
    await api(server, 'PATCH /forgot/password', { email: ELSEWHERE })
    expect(await load(plain.id)).toMatchObject({ email: plain.email })
    expect(
      (await api(server, 'POST /sign-in/email', { email: plain.email, password: PASSWORD })).status,
    ).toBe(200)
  })
})
