import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from '@jest/globals'
import { decodeProtectedHeader } from 'jose'
import type { Module as ModuleOf } from './modules.ts'
import { CALLBACK, type Outside, type Params, query, type Tokens, Visit } from './outside.ts'

type Mode = 'form_post' | undefined
export interface Run {
  readonly outside: Outside
  readonly mode: Mode
  /** A code that was used when the run began, with the access token that it gave. */
  readonly usedCode: {
    readonly visit: Visit
    readonly code: string
    readonly token: string
    readonly at: number
  }
}
type Module = (run: Run) => Promise<void>
type Name = ModuleOf<'oidcc-basic-certification-test-plan'>

const visitOf = ({ outside, mode }: Run): Visit => new Visit(outside, { mode })

/** An ordinary sign-in with some parameters more. */
const passesWith =
  (change: Params): Module =>
  async (run) => {
    const tokens = await visitOf(run).signIn(change)
    expect((await run.outside.userinfo(tokens.access_token)).body).toMatchObject({
      sub: tokens.claims.sub,
    })
  }

const OF_SCOPE = {
  profile:
    'name given_name family_name middle_name nickname preferred_username profile picture website gender birthdate zoneinfo locale updated_at',
  email: 'email email_verified',
  address: 'address',
  phone: 'phone_number phone_number_verified',
} as const

/** Every standard claim of the scopes is at userinfo, with the type that it has to have. */
const bringsClaimsOf =
  (...scopes: (keyof typeof OF_SCOPE)[]): Module =>
  async (run) => {
    const tokens = await visitOf(run).signIn({ scope: ['openid', ...scopes].join(' ') })
    const { body } = await run.outside.userinfo(tokens.access_token)
    const claims = scopes.flatMap((scope) => OF_SCOPE[scope].split(' '))
    expect(Object.keys(body).toSorted()).toEqual(['sub', ...claims].toSorted())
    const types: Readonly<Record<string, string>> = {
      updated_at: 'number',
      email_verified: 'boolean',
      phone_number_verified: 'boolean',
      address: 'object',
    }
    for (const name of claims)
      expect([name, typeof body[name]]).toEqual([name, types[name] ?? 'string'])
    expect(tokens.scope.split(' ').toSorted()).toEqual(['openid', ...scopes].toSorted())
  }

/** What is refused comes back to the client, and says so. */
const refusesWith =
  (error: string, change: (run: Run) => Params): Module =>
  async (run) => {
    const { answer } = await visitOf(run).authorize(change(run))
    expect([answer.get('error'), answer.has('code')]).toEqual([error, false])
  }

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
/** A request object that nobody signed. */
const unsigned = ({ outside, mode }: Run, change: Params = {}): string => {
  const { client_id: clientId } = outside.clients.client
  const claims = {
    iss: clientId,
    aud: outside.metadata.issuer,
    client_id: clientId,
    response_type: 'code',
    response_mode: mode,
    scope: 'openid',
    ...change,
  }
  return `${part({ alg: 'none' })}.${part(claims)}.`
}

const second = async (run: Run, change: (first: Tokens) => Params) => {
  const visit = visitOf(run)
  const first = await visit.signIn({ max_age: '15000' })
  const { answer, signIns, params } = await visit.authorize(change(first))
  return { first, signIns, again: await visit.redeem(answer, { nonce: params['nonce'] }) }
}
/** The session goes on by itself: the same person, the same sign-in. */
const goesOnSilently =
  (change: (first: Tokens) => Params): Module =>
  async (run) => {
    const { first, again, signIns } = await second(run, change)
    expect([signIns, again.claims.sub, again.claims['auth_time']]).toEqual([
      0,
      first.claims.sub,
      first.claims['auth_time'],
    ])
  }
/** The person signs in again, and the ID token says when. */
const signsInAgain =
  (change: Params, waitMs: number): Module =>
  async (run) => {
    const visit = visitOf(run)
    const first = await visit.signIn({ max_age: '15000' })
    await sleep(waitMs)
    const again = await visit.signIn(change)
    expect([again.signIns, again.claims.sub]).toEqual([1, first.claims.sub])
    expect(again.claims['auth_time']).toBeGreaterThan(Number(first.claims['auth_time']))
  }

/** Every module of the Basic plan for static clients; Form Post has the same. */
export const BASIC: Readonly<Record<Name, Module>> = {
  'oidcc-server': passesWith({}),

  'oidcc-response-type-missing': refusesWith('invalid_request', () => ({
    response_type: undefined,
  })),

  'oidcc-idtoken-signature': async (run) => {
    const { id_token: idToken } = await visitOf(run).signIn()
    const { alg, kid } = decodeProtectedHeader(idToken)
    const key = (run.outside.jwks.keys as { kid: string; alg: string; use: string }[]).find(
      (each) => each.kid === kid,
    )
    expect([alg, key]).toMatchObject(['RS256', { alg: 'RS256', use: 'sig' }])
  },

  'oidcc-idtoken-unsigned': async ({ outside }) => {
    expect(outside.metadata.id_token_signing_alg_values_supported).not.toContain('none')
    const refused = await outside.gatehouse(
      'client',
      'create',
      '--name',
      'x',
      '--redirect',
      CALLBACK,
      '--id-token-alg',
      'none',
    )
    expect([refused.code === 0, refused.stdout]).toEqual([false, ''])
    expect(refused.stderr).toContain('--id-token-alg')
  },

  'oidcc-userinfo-get': async (run) => {
    const { access_token: token, claims } = await visitOf(run).signIn()
    const { status, body } = await run.outside.userinfo(token)
    expect([status, body]).toEqual([200, { sub: claims.sub }])
  },

  'oidcc-userinfo-post-header': async (run) => {
    const { access_token: token, claims } = await visitOf(run).signIn()
    const { status, body } = await run.outside.request(run.outside.metadata.userinfo_endpoint, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    })
    expect([status, body]).toEqual([200, { sub: claims.sub }])
  },

  'oidcc-userinfo-post-body': async (run) => {
    const { access_token: token, claims } = await visitOf(run).signIn()
    const { status, body } = await run.outside.request(run.outside.metadata.userinfo_endpoint, {
      method: 'POST',
      form: { access_token: token },
    })
    expect([status, body]).toEqual([200, { sub: claims.sub }])
  },

  'oidcc-ensure-request-without-nonce-succeeds-for-code-flow': passesWith({ nonce: undefined }),

  'oidcc-scope-profile': bringsClaimsOf('profile'),
  'oidcc-scope-email': bringsClaimsOf('email'),
  'oidcc-scope-address': bringsClaimsOf('address'),
  'oidcc-scope-phone': bringsClaimsOf('phone'),
  'oidcc-scope-all': bringsClaimsOf('profile', 'email', 'address', 'phone'),

  'oidcc-alternate-happy-flow': async (run) => {
    const visit = visitOf(run)
    const params = visit.params({ scope: 'email profile openid' })
    await visit.open(Object.fromEntries(Object.entries(params).toReversed()))
    await visit.throughPages()
    const tokens = await visit.redeem(visit.answer(), { nonce: params['nonce'] })
    const { body } = await run.outside.userinfo(tokens.access_token)
    expect(body).toMatchObject({ sub: tokens.claims.sub, email: run.outside.person.email })
  },

  'oidcc-display-page': passesWith({ display: 'page' }),
  'oidcc-display-popup': passesWith({ display: 'popup' }),
  'oidcc-prompt-login': signsInAgain({ prompt: 'login', max_age: '15000' }, 1100),

  'oidcc-prompt-none-not-logged-in': refusesWith('login_required', () => ({ prompt: 'none' })),
  'oidcc-prompt-none-logged-in': goesOnSilently(() => ({ prompt: 'none', max_age: '15000' })),
  'oidcc-max-age-1': signsInAgain({ max_age: '1' }, 2100),
  'oidcc-max-age-10000': goesOnSilently(() => ({ max_age: '10000' })),

  'oidcc-ensure-request-with-unknown-parameter-succeeds': passesWith({ extra: 'foobar' }),
  'oidcc-id-token-hint': goesOnSilently(({ id_token: hint }) => ({
    prompt: 'none',
    id_token_hint: hint,
    max_age: '15000',
  })),

  'oidcc-login-hint': async (run) => {
    const visit = visitOf(run)
    const hint = 'somebody@example.org'
    const page = await visit.open(visit.params({ login_hint: hint }))
    const field = page.form('/login').fields.find(({ name }) => name === 'username')
    expect(field?.value).toBe(hint)
    await visit.throughPages()
    expect(visit.answer().has('code')).toBe(true)
  },

  'oidcc-ui-locales': async (run) => {
    const visit = visitOf(run)
    const page = await visit.open(visit.params({ ui_locales: 'se fr' }))
    expect(page.text).toMatch(/<html lang="fr"/)
    await visit.throughPages()
    expect(visit.answer().has('code')).toBe(true)
  },

  'oidcc-claims-locales': passesWith({ claims_locales: 'se', scope: 'openid profile' }),

  'oidcc-ensure-request-with-acr-values-succeeds': async (run) => {
    const asked = run.outside.metadata.acr_values_supported as string[]
    const { claims } = await visitOf(run).signIn({ acr_values: asked.join(' ') })
    expect(asked).toContain(claims['acr'])
  },

  'oidcc-codereuse': async (run) => {
    const visit = visitOf(run)
    const { answer, params } = await visit.authorize()
    await visit.redeem(answer, { nonce: params['nonce'] })
    const { status, body } = await run.outside.tokenRequest(
      visit.codeForm(answer.get('code') ?? ''),
      visit.client,
    )
    expect([status, body.error]).toEqual([400, 'invalid_grant'])
  },

  'oidcc-codereuse-30seconds': async ({ outside, usedCode: { visit, code, token, at } }) => {
    expect((await outside.userinfo(token)).status).toBe(200)
    await sleep(at + 30_000 - Date.now())
    const { status, body } = await outside.tokenRequest(visit.codeForm(code), visit.client)
    expect([status, body.error]).toEqual([400, 'invalid_grant'])
    expect((await outside.userinfo(token)).status).toBe(401)
  },

  'oidcc-ensure-registered-redirect-uri': async (run) => {
    const visit = visitOf(run)
    const page = await visit.open(visit.params({ redirect_uri: `${CALLBACK}/other` }))
    expect([page.status, page.isForeign]).toEqual([400, false])
    expect(page.text).toContain('<h1 id="error">')
    expect(page.words).toContain('redirect_uri')
  },

  'oidcc-ensure-post-request-succeeds': async (run) => {
    const visit = visitOf(run)
    const params = visit.params()
    await visit.browser.post(
      run.outside.metadata.authorization_endpoint,
      query(params).toString(),
      { headers: { origin: new URL(CALLBACK).origin, 'sec-fetch-site': 'cross-site' } },
    )
    await visit.throughPages()
    const { claims } = await visit.redeem(visit.answer(), { nonce: params['nonce'] })
    expect(claims.sub).toBe(run.outside.person.id)
  },

  'oidcc-server-client-secret-post': async ({ outside, mode }) => {
    const client = outside.clients.client_secret_post
    const visit = new Visit(outside, { mode, client })
    const { answer, params } = await visit.authorize()
    const { status, body } = await outside.request(outside.metadata.token_endpoint, {
      method: 'POST',
      form: { ...visit.codeForm(answer.get('code') ?? ''), ...client },
    })
    expect(status).toBe(200)
    expect(await outside.verified(body.id_token, client)).toMatchObject({ nonce: params['nonce'] })
  },

  'oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported': async (run) => {
    expect(run.outside.metadata.request_uri_parameter_supported).toBe(false)
    await refusesWith('request_uri_not_supported', () => ({
      request_uri: 'https://suite.example/request.jwt',
    }))(run)
  },

  'oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported': async (run) => {
    expect(run.outside.metadata.request_parameter_supported ?? false).toBe(false)
    await refusesWith('request_not_supported', (at) => ({ request: unsigned(at) }))(run)
  },

  'oidcc-claims-essential': async (run) => {
    const { access_token: token } = await visitOf(run).signIn({
      claims: JSON.stringify({ userinfo: { name: { essential: true } } }),
    })
    const { body } = await run.outside.userinfo(token)
    expect(body).toMatchObject({ sub: run.outside.person.id, name: expect.any(String) })
  },

  'oidcc-ensure-request-object-with-redirect-uri': refusesWith('request_not_supported', (run) => ({
    request: unsigned(run, { redirect_uri: CALLBACK }),
  })),

  'oidcc-refresh-token': async (run) => {
    const first = await visitOf(run).signIn({ scope: 'openid offline_access', prompt: 'consent' })
    const form = { grant_type: 'refresh_token', refresh_token: first.refresh_token }
    const { client, client2 } = run.outside.clients
    const foreign = await run.outside.tokenRequest(form, client2)
    expect([foreign.status, foreign.body.error]).toEqual([400, 'invalid_grant'])
    const { status, body } = await run.outside.tokenRequest(form, client)
    expect(status).toBe(200)
    const { iss, sub, aud, auth_time: at } = first.claims
    const claims = await run.outside.verified(body.id_token, client)
    expect(claims).toMatchObject({ iss, sub, aud, auth_time: at })
    expect([undefined, first.claims['nonce']]).toContain(claims['nonce'])
    expect(Number(claims.iat)).toBeGreaterThanOrEqual(Number(first.claims.iat))
    expect((await run.outside.userinfo(body.access_token)).body).toEqual({ sub })
  },

  'oidcc-ensure-request-with-valid-pkce-succeeds': async (run) => {
    const verifier = randomBytes(32).toString('base64url')
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const { claims } = await visitOf(run).signIn(
      { code_challenge: challenge, code_challenge_method: 'S256' },
      { code_verifier: verifier },
    )
    expect(claims.sub).toBe(run.outside.person.id)
  },
}

/** Before all modules: a code that has been used for more than half a minute in the end. */
export async function runOf(outside: Outside, mode: Mode): Promise<Run> {
  const visit = new Visit(outside, { mode })
  const { answer, params } = await visit.authorize()
  const { access_token: token } = await visit.redeem(answer, { nonce: params['nonce'] })
  const usedCode = { visit, code: answer.get('code') ?? '', token, at: Date.now() }
  return { outside, mode, usedCode }
}
