import { execFileSync } from 'node:child_process'
import { createHash, createPrivateKey, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt, SignJWT } from 'jose'
import { CAPS } from '../../src/config/limits.ts'
import { Consent } from '../../src/entities/index.ts'
import { AppError, ERROR_CODES, type ErrorCode } from '../../src/errors.ts'
import { CLIENT_ID, UPSTREAM } from '../../src/http/api/auth/examples.ts'
import { authRoutes } from '../../src/http/api/auth/index.ts'
import {
  type ApiAnswer,
  type ApiOptions,
  age,
  api,
  type Json,
  type SignedIn,
  signedIn,
  signIn,
  startApi,
  totp,
  withMfa,
} from '../support/api.ts'
import { Authenticator } from '../support/authenticator.ts'
import { createAccount, createClient, PASSWORD } from '../support/factories.ts'
import { decode } from '../support/html.ts'
import { type OperationDoc, operationsOf, violations } from '../support/openapi.ts'
import { givePasskey, passkeyOwner } from '../support/passkeys.ts'
import type { TestServer } from '../support/server.ts'
import { publishTerms, TERMS } from '../support/terms.ts'
import { createProvider } from '../support/upstream/providers.ts'

let server: TestServer
let document: Json
let operations: OperationDoc[]
const ISSUER = 'https://login.acme.example'
beforeAll(async () => {
  server = await startApi({ signIn: { methods: ['password', 'passkey', 'email-code'] } })
  const shown = ['given_name', 'family_name', 'birthdate', 'zoneinfo', 'address']
  await server.context.definitions.turn(shown, true)
  await createProvider(server, {
    issuer: ISSUER,
    client: { id: 'gatehouse', secret: 'none of ours' },
  })
  await createClient(server, {
    clientId: CLIENT_ID,
    redirectUris: [UPSTREAM.redirectUri],
    accountApi: true,
  })
  document = await (await fetch(`${server.origin}/api/openapi.json`)).json()
  operations = operationsOf(document)
})
afterAll(() => server.stop())

const operation = (id: string): OperationDoc => {
  const found = operations.find((each) => each.id === id)
  if (!found) throw new Error(`no operation ${id}`)
  return found
}
const examplesOf = ({ responses }: OperationDoc, status: number): Record<string, { value: Json }> =>
  responses[status]?.content?.['application/json'].examples ?? {}

/** The names of an object all the way down; of a list, those of its first item. */
function shape(value: Json): Json {
  if (Array.isArray(value)) return value.length > 0 ? [shape(value[0])] : []
  if (value === null || typeof value !== 'object') return '*'
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, item]) => [name, shape(item)]),
  )
}

/** A code of somebody whom the provider of the examples knows. */
async function upstreamCode(operation: OperationDoc, subject: string): Promise<Json> {
  const body = operation.requests['default']
  const challenge = createHash('sha256').update(body.code_verifier).digest('base64url')
  const person = { issuer: ISSUER, subject, emailProven: false, amr: [] }
  const asked = { providerId: 'acme', clientId: CLIENT_ID, challenge }
  return { ...body, code: await server.context.appCodes.make(asked, person) }
}

/** As if the person had connected the provider of the examples. */
async function linkedIdentity(accountId: string, subject: string = randomUUID()): Promise<string> {
  const { rows } = await server.context.database.pool.query<{ id: string }>(
    `insert into identity (id, account_id, provider_id, issuer, subject, email, display_name, linked_at, linked_by)
     values (gen_random_uuid(), $1, 'acme', $2, $3, 'ada@acme.example', 'Ada', now(), 'link') returning id`,
    [accountId, ISSUER, subject],
  )
  return rows[0]?.id ?? ''
}

describe('the document', () => {
  it('is OpenAPI 3.1 and speaks of this server', () => {
    expect(document).toMatchObject({
      openapi: expect.stringMatching(/^3\.1\./),
      servers: [{ url: server.origin }],
    })
    expect(document.components.securitySchemes.bearer).toMatchObject({
      type: 'http',
      scheme: 'bearer',
    })
  })

  it('has every route of the account API, and no other', () => {
    const router = authRoutes(
      { ...server.context, issuer: server.origin },
      () => async () => undefined,
    )
    const routes = router.stack.flatMap(({ path, methods }) =>
      methods
        .filter((method) => method !== 'HEAD')
        .map(
          (method) =>
            `${method} ${String(path)
              .replace('/api/auth', '')
              .replace(/:(\w+)/, '{$1}')}`,
        ),
    )
    expect(operations.map(({ route }) => route).toSorted()).toEqual(routes.toSorted())
    expect(routes).toHaveLength(43)
    expect(new Set(operations.map(({ id }) => id)).size).toBe(43)
  })

  it('refers to nothing that is not there', () => {
    const refs = [
      ...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g),
    ].map(([, name]) => name ?? '')
    expect(refs.length).toBeGreaterThan(50)
    expect(refs.filter((name) => !(name in document.components.schemas))).toEqual([])
  })

  it('IN-01 its bodies are closed: no call takes unknown fields', () => {
    const bodies = operations.flatMap(({ bodies: schemas }) => schemas)
    expect(bodies.filter(({ additionalProperties }) => additionalProperties !== false)).toEqual([])
  })

  it('has an example for every call and every answer, each true to its schema', () => {
    for (const { id, requests, bodies, responses } of operations) {
      expect({ id, requests: Object.keys(requests).length }).toEqual({
        id,
        requests: bodies.length,
      })
      for (const [index, request] of Object.values<Json>(requests).entries())
        expect({ id, bad: violations(document, bodies[index], request) }).toEqual({ id, bad: [] })
      for (const [status, { content }] of Object.entries<Json>(responses)) {
        if (status === '204') continue
        const { schema, examples } = content['application/json']
        expect(Object.keys(examples).length).toBeGreaterThan(0)
        for (const { value } of Object.values<Json>(examples))
          expect({ id, status, bad: violations(document, schema, value) }).toEqual({
            id,
            status,
            bad: [],
          })
      }
    }
  })

  it('lists every refusal that an operation names, with status and sentence; the list is closed', () => {
    const named = new Set(
      operations.flatMap(({ responses }) =>
        Object.keys(responses).flatMap((status) =>
          Number(status) >= 400
            ? Object.keys(examplesOf({ responses } as OperationDoc, Number(status)))
            : [],
        ),
      ),
    )
    const listed: { code: ErrorCode; status: number; message: string }[] = document['x-errors']
    expect([...named].filter((code) => !listed.some((each) => each.code === code))).toEqual([])
    expect(
      listed.filter(({ code, message }) => !ERROR_CODES.includes(code) || message === ''),
    ).toEqual([])
    expect(document.components.schemas.Refusal.properties.error.enum).toEqual(ERROR_CODES)
  })

  it('WB-05 is shown as a page without scripts of others, styles of others, or anything inline', async () => {
    const response = await fetch(`${server.origin}/api/docs`, { headers: { accept: 'text/html' } })
    const html = await response.text()
    expect(response.status).toBe(200)
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    for (const { id, route } of operations) {
      expect(html).toContain(`id="${id}"`)
      expect(html).toContain(`/api/auth${route.split(' ')[1]}`)
    }
    expect(html).toContain(`<code>${server.origin}/api/auth</code>`)
    expect(html).toContain('Authorization: Bearer')
    expect(html).not.toMatch(/\son\w+=|style=|<style|javascript:/)
    expect([...html.matchAll(/(?:src|href)="(https?:)?\/\//g)]).toEqual([])
  })
})

/** Replaces every text of an example that stands for something live. */
function fill(value: Json, live: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return live.get(value) ?? value
  if (Array.isArray(value)) return value.map((item) => fill(item, live))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, live)]))
}

/** The secret of one that can be used. */
async function anInvitation(): Promise<string> {
  const { link } = await server.context.invitations.create({ isMailed: false, seconds: 3600 })
  return new URL(link ?? '').searchParams.get('token') ?? ''
}

/** Learns what the texts of an example stand for, from the answer in its place. */
function learn(example: Json, answer: Json, live: Map<string, string>): void {
  if (typeof example === 'string' && typeof answer === 'string') live.set(example, answer)
  else if (example && answer && typeof example === 'object')
    for (const name of Object.keys(example)) learn(example[name], answer[name], live)
}

describe('the examples', () => {
  it('tell one story that the server lives through, call by call and answer by answer', async () => {
    const live = new Map<string, string>()
    const signInDoc = operation('signIn')
    const { email, password } = operation('signUp').requests['default']
    const code: string = operation('verifyEmail').requests['default'].code
    const first = examplesOf(signInDoc, 200)['first']?.value
    const told = new Set<string>()
    let token: string | undefined

    const tell = async (id: string, name = 'default', options: ApiOptions = {}) => {
      const { route, requests, responses, isBearer } = operation(id)
      const path = route
        .replace('{id}', live.get(id) ?? '')
        .replace('{clientId}', live.get('revokeApp') ?? '')
        .replace('{provider}', 'acme')
      const answer = await api(server, path, fill(requests[name], live), {
        ...(isBearer ? { token } : {}),
        ...options,
      })
      told.add(`${id}/${name}`)
      const documented =
        Object.keys(responses).find(
          (status) =>
            status.startsWith('2') &&
            (status === '204' || examplesOf(operation(id), Number(status))[name]),
        ) ?? ''
      expect({
        id,
        name,
        status: answer.status,
        refusal: answer.status >= 400 ? answer.body : undefined,
      }).toEqual({
        id,
        name,
        status: Number(documented),
        refusal: undefined,
      })
      if (documented === '204') return answer
      const { schema, examples } = responses[documented].content['application/json']
      const example = examples[name].value
      expect({ id, bad: violations(document, schema, answer.body) }).toEqual({ id, bad: [] })
      expect({ id, shape: shape(answer.body) }).toEqual({ id, shape: shape(example) })
      learn(example, answer.body, live)
      for (const fixed of [email, password, code]) live.delete(fixed)
      return answer
    }
    const mailed = async (address: string) => live.set(code, await server.inbox.code(address))
    const enter = async () => {
      token = (await tell('signIn', 'first')).body.access_token
    }

    await tell('listProviders')
    await tell('beginUpstream')
    const invitation = operation('signUpInvited').requests['default'].invitation
    live.set(invitation, await anInvitation())
    await tell('signUpInvited')
    await tell('signUp')
    await mailed(email)
    await tell('resendVerification')
    await mailed(email)
    await tell('verifyEmail')
    publishTerms(server, TERMS)
    const wanted = fill(operation('signUp').requests['default'], live)
    const unaccepted = await api(server, 'POST /sign-up/email', wanted)
    live.set(operation('acceptTerms').requests['default'].token, unaccepted.body.token)
    await tell('acceptTerms')
    await tell('signUpAccepted')
    // Somebody else's, who would be told to prove the address once the account is deleted.
    await server.context.database.pool.query('delete from "pending_sign_up"')
    publishTerms(server, undefined)
    await tell('signInByCode', 'first')
    await mailed(email)
    await tell('signInByCode', 'second')
    await enter()
    await tell('me')
    await tell('editBasic')
    await tell('editProfile')

    const client = await createClient(server)
    const em = server.context.database.em.fork()
    const accountId = live.get(first.user.id) ?? ''
    em.create(Consent, {
      account: accountId,
      client: client.clientId,
      scopes: ['openid'],
      resourceScopes: { 'https://api.example.org/plants': ['plants:read'] },
    })
    await em.flush()
    const { groups, memberships } = server.context
    await memberships.add((await groups.create({ name: 'editors' })).id, accountId)
    const other = await signIn(server, { email, password })
    await tell('listSessions')
    await tell('listApps')
    await server.context.database.pool.query('select pg_sleep(0.2)')
    await tell('listActivity')
    await tell('exportAccount')
    const identity = await linkedIdentity(accountId, 'ada')
    const redeemed = await upstreamCode(operation('signInUpstream'), 'ada')
    live.set(operation('signInUpstream').requests['default'].code, redeemed.code)
    await tell('signInUpstream')
    live.set('removeIdentity', identity)
    await tell('listIdentities')
    await tell('removeIdentity')
    live.set('endSession', other.sessionId)
    await tell('endSession')
    live.set('revokeApp', client.clientId)
    await tell('revokeApp')
    await tell('refresh')
    expect(operation('refresh').requests['default'].refresh_token).toBe(first.refresh_token)

    const authenticator = new Authenticator(server.origin)
    const use = (id: string, name: string, credential: Json) =>
      learn(operation(id).requests[name].credential, credential, live)
    const creation = await tell('newPasskeyOptions')
    use('addPasskey', 'default', authenticator.register(creation.body.publicKey))
    const { passkey } = (await tell('addPasskey')).body
    await tell('listPasskeys')
    const proof = await tell('verificationOptions')
    use('verify', 'third', authenticator.assert(proof.body.publicKey))
    await tell('verify', 'third')
    live.set('renamePasskey', passkey.id)
    await tell('renamePasskey')
    const request = await tell('passkeyOptions')
    use('signInWithPasskey', 'default', authenticator.assert(request.body.publicKey))
    await tell('signInWithPasskey')
    const keyed = await api(server, 'POST /sign-in/email', { email, password })
    learn(examplesOf(signInDoc, 401)['mfa_required']?.value, keyed.body, live)
    const second = await tell('secondStepOptions')
    use('secondStepWithPasskey', 'default', authenticator.assert(second.body.publicKey))
    await tell('secondStepWithPasskey')
    live.set('removePasskey', passkey.id)
    await tell('removePasskey')

    await tell('verify', 'first')
    const { secret } = (await tell('enableMfa', 'first')).body
    live.set(code, await totp(secret, -1))
    await tell('enableMfa', 'second')
    const [recoveryCode, another] = (await tell('regenerateRecoveryCodes')).body.recovery_codes
    live.set(code, another)
    await tell('verify', 'second')
    const challenged = await api(server, 'POST /sign-in/email', { email, password })
    learn(examplesOf(signInDoc, 401)['mfa_required']?.value, challenged.body, live)
    live.set(code, await totp(secret))
    await tell('signIn', 'second')
    await tell('disableMfa', 'first')
    live.set(code, recoveryCode)
    await tell('disableMfa', 'second')

    await tell('editEmail', 'first')
    const newEmail = operation('editEmail').requests['first'].email
    await mailed(newEmail)
    await tell('editEmail', 'second')
    live.set(email, newEmail)
    await tell('editPassword', 'first')
    live.set(email, newEmail)
    await mailed(newEmail)
    await tell('editPassword', 'second')
    live.set(email, newEmail)
    live.set(password, operation('editPassword').requests['second'].password)
    await tell('logout')

    await tell('forgotPassword', 'first')
    live.set(email, newEmail)
    await mailed(newEmail)
    await tell('forgotPassword', 'second')
    live.set(email, newEmail)
    live.set(password, operation('forgotPassword').requests['second'].password)
    await enter()
    await tell('logoutAll')
    live.set(email, newEmail)
    live.set(password, operation('forgotPassword').requests['second'].password)
    await enter()
    live.set(password, operation('forgotPassword').requests['second'].password)
    await tell('deleteAccount')

    const all = operations.flatMap(({ id, requests, bodies }) =>
      (bodies.length > 0 ? Object.keys(requests) : ['default']).map((name) => `${id}/${name}`),
    )
    expect([...told].toSorted()).toEqual(all.toSorted())
  })
})

describe('the refusals', () => {
  const refusals = () =>
    operations.flatMap((each) =>
      Object.keys(each.responses)
        .map(Number)
        .filter((status) => status >= 400)
        .flatMap((status) =>
          Object.entries(examplesOf(each, status)).map(([code, { value }]) => ({
            operation: each,
            status,
            code: code as ErrorCode,
            example: value,
          })),
        ),
    )

  /** What there is of an operation to call it well. */
  async function good({
    requests,
    isBearer,
    route,
  }: OperationDoc): Promise<{ owner: SignedIn | undefined; body: Json; path: string }> {
    const owner = isBearer ? await signedIn(server) : undefined
    const body = requests['default'] ?? requests['first']
    return { owner, body, path: route.replace(/\{\w+\}/, 'nobody') }
  }
  const send = async (
    each: OperationDoc,
    change: (body: Json) => Json = (body) => body,
    options: ApiOptions = {},
  ): Promise<ApiAnswer> => {
    const { owner, body, path } = await good(each)
    return api(server, path, change(body), { token: owner?.token, ...options })
  }
  const broken = async <T>(
    target: object,
    name: string,
    error: () => Error,
    work: () => Promise<T>,
  ): Promise<T> => {
    Object.defineProperty(target, name, {
      configurable: true,
      writable: true,
      value: () => Promise.reject(error()),
    })
    try {
      return await work()
    } finally {
      Reflect.deleteProperty(target, name)
    }
  }
  /** The call with what its options ask for, of an account that has a passkey. */
  async function withPasskey(
    each: OperationDoc,
    answer: (device: Authenticator, asked: Json) => Json,
  ): Promise<ApiAnswer> {
    const owner = await passkeyOwner(server)
    const caller = each.isBearer ? owner : {}
    const { token: step } =
      each.id === 'secondStepWithPasskey'
        ? (
            await api(server, 'POST /sign-in/email', {
              email: owner.email,
              password: owner.password,
            })
          ).body
        : {}
    const { token, publicKey } = (
      await api(server, OPTIONS_OF[each.id] ?? '', step ? { token: step } : {}, caller)
    ).body
    const credential = answer(owner.authenticator, publicKey)
    return api(server, each.route, { token, credential }, caller)
  }
  /** What a refused sign-up is answered, for the call that accepts. */
  async function unaccepted(version = TERMS.version): Promise<Json> {
    publishTerms(server, TERMS)
    const wanted = operation('signUp').requests['default']
    const { token } = (await api(server, 'POST /sign-up/email', wanted)).body
    return { token, version }
  }
  const accepted = async (): Promise<string> =>
    (await api(server, 'POST /terms', await unaccepted())).body.terms_token
  const OPTIONS_OF: Readonly<Record<string, string>> = {
    signInWithPasskey: 'POST /passkey/options',
    secondStepWithPasskey: 'POST /sign-in/mfa/options',
    verify: 'POST /verification/options',
    addPasskey: 'POST /passkeys/options',
  }
  /** A call of a sign-up that may not register. */
  async function notAdmitted(each: OperationDoc, code: ErrorCode): Promise<ApiAnswer> {
    const { registration } = server.context
    const refusal = () => new AppError(code)
    if (each.id === 'signUp') return broken(registration, 'admit', refusal, () => send(each))
    if (each.id === 'signUpInvited') {
      const invitation = await anInvitation()
      const invited = (body: Json) => ({ ...body, invitation })
      return broken(registration, 'admit', refusal, () => send(each, invited))
    }
    if (each.id === 'signUpAccepted') {
      const terms_token = await accepted()
      const typed = (body: Json) => ({ ...body, terms_token })
      return broken(registration, 'admit', refusal, () => send(each, typed))
    }
    const email = `${code}@example.org`
    const wanted = { name: 'Ada', email, password: PASSWORD }
    const { userId, tokenId } = (await api(server, 'POST /sign-up/email', wanted)).body
    const typed = { userId, tokenId, email, code: await server.inbox.code(email) }
    return broken(registration, 'admitTo', refusal, () => send(each, () => typed))
  }
  const json = { 'content-type': 'application/json' }
  const crowded = '203.0.113.250'

  const PROVOKE: Partial<Record<ErrorCode, (each: OperationDoc) => Promise<ApiAnswer>>> = {
    invalid_input: (each) => send(each, (body) => ({ ...body, email: undefined, nope: 1 })),
    payload_too_large: (each) =>
      send(each, () => undefined, {
        raw: JSON.stringify({ a: 'x'.repeat(17_000) }),
        headers: json,
      }),
    unsupported_media_type: (each) =>
      send(each, () => undefined, { raw: '{}', headers: { 'content-type': 'text/plain' } }),
    invalid_token: (each) =>
      send(each, (body) => (each.id === 'refresh' ? { refresh_token: 'x' } : body), {
        token: undefined,
      }),
    already_signed_in: async (each) =>
      send(each, (body) => body, { token: (await signedIn(server)).token }),
    not_found: (each) => send(each),
    async forbidden(each) {
      const owner = await signedIn(server)
      const jwk = (await server.context.keys.load()).keys.find(({ alg }) => alg === 'ES256')
      const bare = new SignJWT({ ...decodeJwt(owner.token), scope: '' }).setProtectedHeader({
        alg: 'ES256',
        typ: 'at+jwt',
        kid: jwk?.kid ?? '',
      })
      return send(each, (body) => body, {
        token: await bare.sign(createPrivateKey({ key: jwk as never, format: 'jwk' })),
      })
    },
    async too_many_requests(each) {
      const { path } = await good(each)
      for (let index = 0; index < 700; index += 1) {
        // A token, though not a good one: what comes without any is refused before it is counted.
        const answer = await api(server, path, {}, { from: crowded, token: 'a.b.c' })
        if (answer.status === 429) return answer
      }
      throw new Error(`${each.id} has no limit`)
    },
    async unavailable(each) {
      const { owner, body, path } = await good(each)
      // They ask the database for nothing but who calls: providers are in memory by now, tokens are forged.
      const asksNothing = [
        'listProviders',
        'beginUpstream',
        'passkeyOptions',
        'signInWithPasskey',
        'acceptTerms',
        'signUpAccepted',
      ].includes(each.id)
      const { token } = owner ?? (asksNothing ? await signedIn(server) : {})
      const away = () => Object.assign(new Error('terminating connection'), { code: '57P01' })
      const { pool } = server.context.database
      const sent =
        each.id === 'refresh' ? { refresh_token: (await signedIn(server)).refreshToken } : body
      return broken(pool, 'query', away, () =>
        broken(pool, 'connect', away, () => api(server, path, sent, { token })),
      )
    },
    async internal_error(each) {
      const { owner, body, path } = await good(each)
      const { accessTokens, firstPartyTokens } = server.context
      const [target, name] =
        each.id === 'refresh' ? [firstPartyTokens, 'refresh'] : [accessTokens, 'verify']
      return broken(
        target,
        name,
        () => new Error('x'),
        () => api(server, path, body, { token: owner?.token ?? 'a.b.c' }),
      )
    },
    async invalid_credentials(each) {
      if (each.id === 'signInUpstream') {
        const { id } = await createAccount(server, { status: 'disabled' })
        await linkedIdentity(id, id)
        const body = await upstreamCode(each, id)
        return send(each, () => body)
      }
      if (!each.isBearer) return send(each)
      return send(each, (body) => ({
        ...body,
        ...(each.id === 'editPassword' ? { current_password: 'wrong' } : { password: 'wrong' }),
      }))
    },
    async mfa_required() {
      const owner = await signedIn(server)
      await withMfa(server, owner)
      return api(server, 'POST /sign-in/email', { email: owner.email, password: owner.password })
    },
    async email_unverified() {
      const email = 'not.proven@example.org'
      await api(server, 'POST /sign-up/email', { name: 'Ada', email, password: PASSWORD })
      return api(server, 'POST /sign-in/email', { email, password: PASSWORD })
    },
    registration_closed: (each) => notAdmitted(each, 'registration_closed'),
    async terms_required(each) {
      if (each.id.includes('Passkey')) {
        return withPasskey(each, (device, asked) => {
          publishTerms(server, TERMS)
          return device.assert(asked)
        })
      }
      if (each.id === 'acceptTerms') return api(server, each.route, await unaccepted('2020-01'))
      const { id, email, password } = await createAccount(server)
      if (each.id === 'signInUpstream') {
        await linkedIdentity(id, id)
        publishTerms(server, TERMS)
        const body = await upstreamCode(each, id)
        return send(each, () => body)
      }
      if (each.id === 'signInByCode') {
        const { tokenId } = (await api(server, each.route, { email })).body
        publishTerms(server, TERMS)
        const code = await server.inbox.code(email)
        return api(server, each.route, { email, tokenId, code })
      }
      publishTerms(server, TERMS)
      if (each.id === 'signIn') return api(server, each.route, { email, password })
      const invitation = await anInvitation()
      return send(each, (body) => (body.invitation ? { ...body, invitation } : body))
    },
    invalid_invitation: (each) => send(each),
    async invalid_code(each) {
      const { owner, path } = await good(each)
      const body = each.requests['second'] ?? each.requests['default']
      return api(
        server,
        path,
        { ...body, ...(each.id === 'editPassword' ? { email: owner?.email } : {}) },
        { token: owner?.token },
      )
    },
    async password_rejected(each) {
      const { owner, path } = await good(each)
      const body = each.requests['second'] ?? each.requests['default']
      return api(
        server,
        path,
        {
          ...body,
          password: 'passwordpassword',
          ...(owner ? { email: owner.email } : {}),
          ...(body.invitation ? { invitation: await anInvitation() } : {}),
          ...(each.id === 'signUpAccepted' ? { terms_token: await accepted() } : {}),
        },
        { token: owner?.token },
      )
    },
    async reauthentication_required(each) {
      const { owner, body, path } = await good(each)
      if (!owner) throw new Error('a public operation')
      await age(server, owner, 601)
      // Of an account with one factor the password is enough, or has been.
      if (['editPassword', 'addPasskey'].includes(each.id))
        await givePasskey(server, { ...owner, name: 'Ada' })
      const { password: _left, ...rest } = body ?? {}
      return api(server, path, body && rest, { token: owner.token })
    },
    async mfa_already_enabled(each) {
      const { owner, path } = await good(each)
      if (!owner) throw new Error('a public operation')
      await withMfa(server, owner)
      return api(server, path, {}, { token: owner.token })
    },
    async mfa_setup_replaced(each) {
      const { owner, path } = await good(each)
      const [first] = [
        await api(server, path, {}, { token: owner?.token }),
        await api(server, path, {}, { token: owner?.token }),
      ]
      const { token, secret } = first.body
      return api(server, path, { token, code: await totp(secret) }, { token: owner?.token })
    },
    mfa_not_enabled: (each) => send(each, () => ({})),
    async method_not_offered(each) {
      const owner = await signedIn(server)
      if (each.id === 'verificationOptions') return send(each)
      if (['signUp', 'signUpAccepted', 'signUpInvited', 'verifyEmail'].includes(each.id))
        return notAdmitted(each, 'method_not_offered')
      if (each.id === 'secondStepOptions') {
        await withMfa(server, owner)
        const { email, password } = owner
        const { token } = (await api(server, 'POST /sign-in/email', { email, password })).body
        return api(server, each.route, { token })
      }
      if (each.id === 'signInUpstream') {
        const body = await upstreamCode(each, owner.id)
        const { providers } = server.context
        const gone = () => new AppError('method_not_offered')
        return broken(providers, 'offered', gone, () => send(each, () => body))
      }
      const { signInPolicy } = server.context
      const { offers } = signInPolicy
      // The owner of what is called signs in by password first.
      const ofPassword = ['signIn', 'forgotPassword']
      Object.assign(signInPolicy, {
        offers: (id: string) => id === 'password' && !ofPassword.includes(each.id),
      })
      try {
        return await send(each)
      } finally {
        Object.assign(signInPolicy, { offers })
      }
    },
    passkey_unknown: (each) =>
      withPasskey(each, (device, asked) =>
        device.assert(asked, { credentialId: new Uint8Array(16) }),
      ),
    passkey_refused: (each) =>
      withPasskey(each, (device, asked) =>
        device.answer(asked, { clientData: { origin: 'https://evil.example' } }),
      ),
    async challenge_expired(each) {
      const terms_token = operation('signUpAccepted').requests['default'].terms_token
      if (each.id === 'signUpInvited') {
        const invitation = await anInvitation()
        return send(each, (body) => ({ ...body, invitation, terms_token }))
      }
      if (each.id === 'signUpAccepted' || each.id === 'acceptTerms') return send(each)
      return withPasskey(each, (device, asked) =>
        device.answer(asked, { clientData: { challenge: 'x'.repeat(48) } }),
      )
    },
    passkey_exists: (each) => withPasskey(each, (device, asked) => device.answer(asked)),
    async conflict(each) {
      const owner = await passkeyOwner(server)
      if (each.id === 'removePasskey') {
        await server.context.database.pool.query(
          `update "passkey" set "kept_until" = now() + interval '1 day' where "id" = $1`,
          [owner.passkeyId],
        )
        return api(server, each.route.replace('{id}', owner.passkeyId), undefined, owner)
      }
      const { body: begun } = await api(server, 'POST /passkeys/options', {}, owner)
      for (let count = 1; count < CAPS.passkeysPerAccount; count += 1)
        await givePasskey(server, owner)
      const credential = new Authenticator(server.origin).register(begun.publicKey)
      const body = each.id === 'addPasskey' ? { token: begun.token, credential } : {}
      return api(server, each.route, body, owner)
    },
    async last_way_in(each) {
      // A code to the address would be another way in.
      const { signInPolicy } = server.context
      const { offers } = signInPolicy
      Object.assign(signInPolicy, { offers: (id: string) => id !== 'email-code' })
      await using _again = {
        [Symbol.asyncDispose]: async () => void Object.assign(signInPolicy, { offers }),
      }
      if (each.id === 'removeIdentity') {
        const caller = await signedIn(server)
        const id = await linkedIdentity(caller.id)
        await server.context.database.pool.query(
          'update account set password_hash = null where id = $1',
          [caller.id],
        )
        return await api(server, each.route.replace('{id}', id), undefined, caller)
      }
      const owner = await passkeyOwner(server, { password: null })
      return await api(server, each.route.replace('{id}', owner.passkeyId), undefined, owner)
    },
  }

  it('of every operation come as documented: status, code, sentence, shape and headers', async () => {
    const all = refusals()
    expect(all.length).toBeGreaterThan(150)
    for (const { operation: each, status, code, example } of all) {
      const provoke = PROVOKE[code]
      if (!provoke) throw new Error(`nobody knows how to provoke ${code}`)
      const answer = await provoke(each)
      publishTerms(server, undefined)
      const what = `${each.id} ${code}`
      expect({
        what,
        status: answer.status,
        error: answer.body.error,
        message: answer.body.message,
      }).toEqual({
        what,
        status,
        error: code,
        message: example.message,
      })
      expect({
        what,
        bad: violations(document, { $ref: '#/components/schemas/Refusal' }, answer.body),
      }).toEqual({ what, bad: [] })
      expect({ what, names: Object.keys(answer.body).toSorted() }).toEqual({
        what,
        names: Object.keys(example).toSorted(),
      })
      // A way that is not offered is no question of tokens, though it shares its status with some.
      const headers = Object.keys(each.responses[status].headers ?? {}).filter(
        (name) => code !== 'method_not_offered' || name !== 'WWW-Authenticate',
      )
      for (const header of headers)
        expect({ what, header, value: answer.headers.get(header) }).not.toMatchObject({
          value: null,
        })
      const isChallenge = answer.headers.get('www-authenticate') !== null
      expect({ what, isChallenge }).toEqual({
        what,
        isChallenge: headers.includes('WWW-Authenticate'),
      })
    }
  }, 120_000)

  it('an account that an operator disabled answers like any other', async () => {
    const { email } = await createAccount(server, { status: 'disabled' })
    expect(
      (await api(server, 'POST /sign-in/email', { email, password: PASSWORD })).body.error,
    ).toBe('invalid_credentials')
  })
})

describe('the commands of the page', () => {
  /** What a shell makes of a command. */
  const argumentsOf = (command: string, token: string): string[] => {
    const script = `curl() { printf '%s\\0' "$@"; }\n${command}`
    return execFileSync('sh', ['-c', script], { encoding: 'utf8', env: { TOKEN: token } })
      .split('\0')
      .slice(0, -1)
  }

  it('call every route as it wants to be called: method, path, token and body', async () => {
    const html = await (await fetch(`${server.origin}/api/docs`)).text()
    const commands = Array.from(
      html.matchAll(/<pre class="secret">(curl [\s\S]*?)<\/pre>/g),
      ([, command = '']) => decode(command),
    )
    const { token } = await signedIn(server)
    const called = new Set<string>()
    for (const command of commands) {
      const words = argumentsOf(command, token)
      const given = (option: string): string[] =>
        words.filter((_word, at) => words[at - 1] === option)
      const [body] = given('-d')
      const url = words.find((word) => word.startsWith('http')) ?? ''
      const method = given('-X')[0] ?? (body ? 'POST' : 'GET')
      called.add(`${method} ${new URL(url).pathname}`)
      // The example's own token is a made-up one, and those that sign out would leave the others
      // without theirs.
      if (/\/(refresh|logout|logout-all)$/.test(url)) continue
      const headers = Object.fromEntries(
        given('-H').map((header) => header.split(': ') as [string, string]),
      )
      const answer = await fetch(url, { method, headers, ...(body ? { body } : {}) })
      const { error = '' } =
        answer.status === 204 ? {} : ((await answer.json()) as { error?: string })
      expect([command, error]).not.toEqual([
        command,
        expect.stringMatching(
          /^(invalid_input|invalid_token|method_not_allowed|unsupported_media_type)$/,
        ),
      ])
    }
    expect(called.size).toBe(operations.length)
  })
})
