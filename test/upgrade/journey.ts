import { expect } from '@jest/globals'
import { anyAddress, api, totp } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { PASSWORD } from '../support/factories.ts'
import type { RelyingParty } from '../support/relying-party.ts'
import type { World } from './world.ts'

const NEXT_PASSWORD = 'oak window nine meadow'
const SCOPE = 'openid profile email'

let people = 0

/**
 * A person from signing up to the end of the account's sessions, through pages, protocol and
 * account API. `turn` is called before each step.
 */
export async function journey(world: World, app: RelyingParty, turn: () => void): Promise<void> {
  const server = { origin: world.origin, address: world.address }
  const email = `person.${++people}@example.org`
  const browser = new Browser(world.origin, { headers: { 'x-forwarded-for': anyAddress() } })
  const step = <T>(work: () => Promise<T>): Promise<T> => {
    turn()
    return work()
  }
  const call = (route: string, body?: unknown, token?: string) =>
    step(() => api(server, route, body, { token }))
  const asked = (parameters = {}) => app.authorizationUrl({ scope: SCOPE, ...parameters })

  const offline = { scope: `${SCOPE} offline_access`, prompt: 'consent' }
  const login = await step(() => browser.visit(asked(offline)))
  const toSignUp = login.links.find(({ pathname }) => pathname.endsWith('/sign-up'))
  await step(() => browser.follow(toSignUp ?? ''))
  await step(() => browser.submit('/sign-up', { name: 'Grace', email, password: PASSWORD }))
  const code = await world.codeFor(email)
  await step(() => browser.submit('/verify-email', { code }))
  const back = await step(() => browser.submit('/consent', {}, { button: 'allow' }))
  const first = await step(() => app.redeem(back.url))
  const subject = first.claims()?.sub
  const userinfo = await step(() => app.userinfo(first.access_token, subject))
  expect(userinfo).toMatchObject({ email, email_verified: true, name: 'Grace' })
  const second = await step(() => app.refresh(first.refresh_token ?? ''))
  const third = await step(() => app.refresh(second.refresh_token ?? ''))
  expect((await step(() => app.introspect(third.access_token))).active).toBe(true)

  const again = await step(() => browser.visit(asked()))
  expect((await step(() => app.redeem(again.url))).claims()?.sub).toBe(subject)

  const credentials = { email, password: PASSWORD }
  const opened = (await call('POST /sign-in/email', credentials)).body
  const renewed = (await call('PATCH /user/refresh', { refresh_token: opened.refresh_token })).body
  const { access_token: token } = renewed
  expect((await call('POST /user/me', undefined, token)).body.user.email).toBe(email)
  const enrolment = (await call('POST /enable/mfa', {}, token)).body
  const proof = { token: enrolment.token, code: await totp(enrolment.secret, -1) }
  const enabled = await call('POST /enable/mfa', proof, token)
  expect([enabled.status, enabled.text]).toEqual([200, expect.any(String)])
  const { recovery_codes: recoveryCodes } = enabled.body

  await step(() => browser.visit(asked()))
  await step(() => browser.submit('/login', { username: email, password: PASSWORD }))
  const proven = { code: await totp(enrolment.secret) }
  const home = await step(() => browser.submit('/mfa', proven))
  const last = await step(() => app.redeem(home.url))
  expect(last.claims()).toMatchObject({ sub: subject, amr: ['pwd', 'otp', 'mfa'] })

  const end = app.endSessionUrl({ id_token_hint: last.id_token ?? '' })
  await step(() => browser.visit(end))
  await step(() => browser.submit('/session/end/confirm'))
  await world.heardOf(last.claims()?.['sid'] as string)
  turn()
  await expect(app.userinfo(last.access_token, subject)).rejects.toMatchObject({ status: 401 })

  const { tokenId } = (await call('PATCH /forgot/password', { email })).body
  const reset = { email, tokenId, code: await world.codeFor(email), password: NEXT_PASSWORD }
  expect((await call('PATCH /forgot/password', reset)).status).toBe(200)
  expect((await call('POST /user/me', undefined, token)).status).toBe(401)
  const challenge = (await call('POST /sign-in/email', { email, password: NEXT_PASSWORD })).body
  const finish = { token: challenge.token, code: recoveryCodes[0] }
  expect((await call('POST /sign-in/email', finish)).status).toBe(200)
}
