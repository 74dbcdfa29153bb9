import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { ACR } from '../../src/accounts/factors/levels.ts'
import { api, startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, createResource, type NewClient } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { enableMfa, enter } from '../support/people.ts'
import { basic } from '../support/protocol.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'

type Json = Readonly<Record<string, unknown>>

let server: TestServer
let resource: string
beforeAll(async () => {
  server = await startApi()
  resource = (await createResource(server)).identifier
})
afterAll(() => server.stop())

async function post(party: RelyingParty, path: string, form: Readonly<Record<string, string>>) {
  const headers = { ...basic(party), 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams(form).toString()
  const answer = await send(server.origin + path, { method: 'POST', headers, body })
  return (await answer.json()) as Json
}

/** Tokens of a sign-in by password and app, once by the engine and once by the fast path. */
async function signedIn(params: Readonly<Record<string, string>>, client: NewClient = {}) {
  const app = await relyingParty(server, { firstParty: true, ...client })
  const account = await createAccount(server)
  const authenticator = await enableMfa(server, account)
  const browser = new Browser(server.origin)
  await browser.visit(app.authorizationUrl(params))
  const back = await enter(browser, account, { authenticator })
  const again = await browser.visit(app.authorizationUrl({ ...params, prompt: 'none' }))
  const tokens = async ({ url }: { url: URL }, query: string) =>
    post(app, `/token${query}`, {
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: app.redirectUri,
      code_verifier: app.verifierOf(url),
    })
  return { app, fast: await tokens(back, ''), engine: await tokens(again, '?way=long') }
}

const text = (value: unknown) => String(value)

describe('RFC 9470 what tokens say of a sign-in', () => {
  it.each([
    ['a JWT for an API', () => ({ scope: 'openid read', resource })],
    ['an opaque token', () => ({ scope: 'openid email' })],
  ])(
    'TF-10 %s tells level and time, by both paths, and a refresh repeats them',
    async (_what, params) => {
      const { app, fast, engine } = await signedIn(params())
      const { acr, auth_time: authTime, iat } = decodeJwt(text(fast['id_token']))
      const said = { acr: ACR.multiFactor, auth_time: authTime }
      expect([acr, Number(authTime) <= Number(iat)]).toEqual([ACR.multiFactor, true])
      const renewed = await post(app, '/token', {
        grant_type: 'refresh_token',
        refresh_token: text(fast['refresh_token']),
      })
      for (const { access_token: token } of [fast, engine, renewed]) {
        if (text(token).includes('.')) expect(decodeJwt(text(token))).toMatchObject(said)
        else
          for (const query of ['', '?way=long'])
            expect(
              await post(app, `/token/introspection${query}`, { token: text(token) }),
            ).toMatchObject({ active: true, ...said })
      }
    },
  )

  it('TF-10 the API that a JWT is for reads both at introspection', async () => {
    const machine = await relyingParty(server, { type: 'service' })
    const served = await createResource(server, {
      identifier: 'https://served.example/',
      servedBy: machine.clientId,
    })
    const { fast } = await signedIn({ scope: 'openid read', resource: served.identifier })
    expect(
      await post(machine, '/token/introspection', { token: text(fast['access_token']) }),
    ).toMatchObject({ active: true, acr: ACR.multiFactor, auth_time: expect.any(Number) })
  })

  it('a service says nothing of a sign-in', async () => {
    const machine = await relyingParty(server, { type: 'service' })
    const { access_token: token } = await post(machine, '/token', {
      grant_type: 'client_credentials',
      scope: 'read',
      resource,
    })
    expect(Object.keys(decodeJwt(text(token)))).not.toEqual(expect.arrayContaining(['acr']))
    expect(decodeJwt(text(token))['auth_time']).toBeUndefined()
  })

  it('TF-10 tokens of the account API say it, and a refresh repeats it', async () => {
    const { email, password } = await createAccount(server)
    const { body } = await api(server, 'POST /sign-in/email', { email, password })
    const first = decodeJwt(body.access_token)
    expect(first).toMatchObject({ acr: ACR.singleFactor, auth_time: expect.any(Number) })
    const next = await api(server, 'PATCH /user/refresh', { refresh_token: body.refresh_token })
    const { acr, auth_time: authTime } = first
    expect(decodeJwt(next.body.access_token)).toMatchObject({ acr, auth_time: authTime })
  })

  it('TF-10 a session says the class that was asked for, of those that it is', async () => {
    const app = await relyingParty(server, { firstParty: true })
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl())
    await enter(browser, account)
    const { pool } = server.context.database
    const issued = async (acrValues: string) => {
      const wish = acrValues ? { acr_values: acrValues } : {}
      const page = await browser.visit(app.authorizationUrl({ ...wish, prompt: 'none' }))
      const error = page.url.searchParams.get('error')
      return error ?? (await app.redeem(page.url)).claims()?.['acr']
    }
    expect(await issued('')).toBe(ACR.singleFactor)
    expect(await issued('phr')).toBe('unmet_authentication_requirements')
    // As if it had been opened by a passkey.
    await pool.query(
      `update "oidc_artifact" set "payload" = jsonb_set(jsonb_set("payload", '{amr}', '["pop","user","mfa"]'), '{acr}', '"${ACR.multiFactor}"')
       where "model" = 'Session' and "account_id" = $1`,
      [account.id],
    )
    expect(await issued('')).toBe(ACR.multiFactor)
    expect(await issued('phr')).toBe('phr')
    expect(await issued(`urn:other ${ACR.multiFactor} phr`)).toBe(ACR.multiFactor)
    expect(await issued('')).toBe(ACR.multiFactor)
  })
})
