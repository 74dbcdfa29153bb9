import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Adapter, AdapterPayload, Client, Provider } from 'oidc-provider'
import { AuditEvent } from '../../src/entities/index.ts'
import { createAccount, createClient, createResource, REDIRECT_URI } from '../support/factories.ts'
import { holds } from '../support/property.ts'
import {
  basic,
  CHALLENGE,
  nobody,
  type SignedInApp,
  signedInApp,
  VERIFIER,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'
import {
  ask,
  type Counted,
  countProvided,
  FORM,
  formShot,
  longWay,
  mostly,
  oddHeaders,
  oneOf,
  seen,
  writtenForm,
} from '../support/two-ways.ts'

const API = 'https://api.example/'
const BEGUN = Math.floor(Date.now() / 1000) - 5000

type Kind = 'AuthorizationCode' | 'RefreshToken'
type Facts = Readonly<Record<string, unknown>>
interface Case {
  readonly scope: string | undefined
  readonly change: Facts
  /** What the grant allows, and takes back. */
  readonly granted: string
  readonly rejected: readonly string[]
  readonly isSpent: boolean
  readonly client: string
  readonly verifier?: string | undefined
  /** Whose grant it is, if it is not the person's own. */
  readonly grantOf?: string | undefined
}

type Write = (fields: readonly (readonly [string, string])[]) => string

const urlencoded: Write = (fields) => new URLSearchParams(Object.fromEntries(fields)).toString()
const PLAIN: Case = {
  scope: 'openid',
  change: {},
  granted: 'openid',
  rejected: [],
  isSpent: false,
  client: 'own',
}

function formOf(kind: Kind, value: string, verifier = VERIFIER): Record<string, string> {
  return kind === 'RefreshToken'
    ? { grant_type: 'refresh_token', refresh_token: value }
    : {
        grant_type: 'authorization_code',
        code: value,
        redirect_uri: REDIRECT_URI,
        code_verifier: verifier,
      }
}

/**
 * The fast path spends codes and refresh tokens as the engine does: of two that are alike, the same
 * comes.
 */
describe.each(STORAGES)('fast path: grants on %s', (storage) => {
  let server: TestServer
  let app: SignedInApp
  let provided: Counted
  let provider: Provider
  let client: Client
  let strangers: Record<string, string>
  let accounts: { other: string; gone: string }

  beforeAll(async () => {
    server = await startServer({ storage, config: { trustedProxyHops: 1 } })
    provided = countProvided(server)
    provider = server.context.authorizationServer.provider
    await createResource(server)
    app = await signedInApp(server, { refreshLeewaySeconds: 0 })
    const found = await provider.Client.find(app.client.clientId)
    if (!found) throw new Error('the client is not registered')
    client = found
    const other = await signedInApp(server, { firstParty: false })
    const machine = await createClient(server, { type: 'service' })
    strangers = {
      own: basic(app.client).authorization,
      other: basic(other.client).authorization,
      machine: basic(machine).authorization,
      wrong: basic({ ...app.client, clientSecret: nobody() }).authorization,
    }
    accounts = {
      other: other.account.id,
      gone: (await createAccount(server, { status: 'disabled' })).id,
    }
  })
  afterAll(() => server.stop())

  /** A code or token of the case, with a grant and a session of its own. */
  async function make(
    kind: Kind,
    { scope, change, granted, rejected, isSpent, grantOf }: Case,
  ): Promise<string> {
    const accountId = app.account.id
    const grant = new provider.Grant({ accountId: grantOf ?? accountId, clientId: client.clientId })
    grant.addOIDCScope(granted)
    grant.addResourceScope(API, 'read write')
    if (change['claims']) grant.addOIDCClaims(['email'])
    if (rejected.length > 0) {
      grant.rejectOIDCScope('profile')
      grant.rejectOIDCClaims([...rejected])
    }
    const grantId = await grant.save()
    if (change['isGrantLate']) await storeAsExpired(grant)
    const session = new provider.Session()
    session.loginAccount({
      accountId,
      amr: ['pwd'],
      acr: 'urn:gatehouse:acr:1fa',
      loginTs: Math.floor(Date.now() / 1000) - 60,
    })
    session.grantIdFor(client.clientId, grantId)
    await session.save(600)
    if (!change['isSessionOver']) await openRow(session.uid, accountId)
    const facts = {
      accountId,
      client,
      grantId,
      sessionUid: session.uid,
      expiresWithSession: true,
      authTime: 1_700_000_000,
      amr: ['pwd'],
      acr: 'urn:gatehouse:acr:1fa',
      gty: 'authorization_code',
      scope,
      ...(kind === 'AuthorizationCode'
        ? { redirectUri: REDIRECT_URI, codeChallenge: CHALLENGE, codeChallengeMethod: 'S256' }
        : { rotations: 3 }),
      ...change,
    }
    const made = new provider[kind](facts as never)
    const value = await made.save()
    if (change['isLate']) await storeAsExpired(made)
    if (isSpent) await made.consume()
    return value
  }

  /** Of the session, as a sign-in leaves it behind. */
  async function openRow(id: string, accountId: string): Promise<void> {
    await server.context.database.pool.query(
      `insert into "session" ("id", "account_id", "door", "amr", "authenticated_at", "created_at", "last_seen_at", "expires_at")
       values ($1, $2, 'pages', '{pwd}', now(), now(), now(), now() + interval '10 minutes')`,
      [id, accountId],
    )
  }

  /** By so little that other clocks may not have noticed: it is found. */
  async function storeAsExpired(made: object): Promise<void> {
    const { adapter, jti, ...model } = made as {
      adapter: Adapter
      jti: string
      getValueAndPayload(): Promise<{ payload: AdapterPayload }>
    }
    const { payload } = await Object.assign(made as typeof model, {
      exp: Math.floor(Date.now() / 1000) - 3,
    }).getValueAndPayload()
    await adapter.upsert(jti, payload, 600)
  }

  async function outcomeOf(kind: Kind, each: Case, write: Write, odd: Facts, isLong: boolean) {
    const value = await make(kind, each)
    const fields = Object.entries(formOf(kind, value, each.verifier))
    const headers = {
      authorization: strangers[each.client] ?? '',
      'content-type': FORM,
      ...(odd as Record<string, string>),
    }
    const shot = { method: 'POST', path: '/token', headers, body: write(fields) }
    const response = await ask(server, isLong ? longWay(shot) : shot)
    const body = (await response
      .clone()
      .json()
      .catch(() => ({}))) as Record<string, string>
    const first = await seen(response)
    const given = await storedOf(body)
    // Second use is refused, and after it the state of what came of the first is the same.
    const again = await seen(
      await ask(
        server,
        longWay({
          ...shot,
          headers: { authorization: strangers['own'] ?? '', 'content-type': FORM },
          body: write(fields),
        }),
      ),
    )
    return {
      first,
      again,
      given,
      left: await storedOf(body),
      isLeft:
        (await (provider[kind] as typeof provider.AuthorizationCode).find(value)) !== undefined,
    }
  }

  /** What is stored of the tokens that were given. */
  async function storedOf({
    access_token: access = '',
    refresh_token: refresh = '',
  }: Record<string, string>) {
    const of = (
      token: { iiat?: number | undefined; clientId?: string | undefined } | undefined,
    ) => {
      const facts = Object.entries({ ...token, iiat: token?.iiat === BEGUN })
      const isSame = ([name]: readonly [string, unknown]) =>
        !['jti', 'grantId', 'sessionUid', 'iat', 'exp', 'consumed'].includes(name)
      return token && Object.fromEntries(facts.filter(isSame))
    }
    return [
      of(await provider.AccessToken.find(access)),
      of(await provider.RefreshToken.find(refresh)),
    ]
  }

  const cases = (kind: Kind) =>
    fc.record({
      scope: mostly(
        oneOf('openid email', 'openid email profile offline_access', 'openid read'),
        oneOf('openid', 'email', 'read', 'openid phone', undefined),
      ),
      granted: mostly(fc.constant('openid email profile offline_access'), oneOf('openid', 'email')),
      rejected: mostly(fc.constant<string[]>([]), oneOf(['email_verified'], ['name', 'sub'])),
      isSpent: mostly(fc.constant(false), fc.constant(true), 12),
      client: mostly(fc.constant('own'), oneOf('other', 'machine', 'wrong'), 12),
      verifier: mostly(
        fc.constant<string | undefined>(undefined),
        oneOf(`${VERIFIER}x`, 'short'),
        12,
      ),
      change: fc
        .array(
          mostly(
            plainChange,
            fc.constant(kind).chain((at) => (at === 'AuthorizationCode' ? oddCode : oddToken)),
            8,
          ),
          { maxLength: 3 },
        )
        .map((list) => Object.assign({}, ...list) as Facts),
    })
  const plainChange = oneOf<Facts>(
    { resource: API },
    { nonce: 'the-nonce' },
    { sid: 'the-sid' },
    { expiresWithSession: undefined },
    { acr: undefined, amr: undefined },
    { amr: ['pwd', 'otp', 'mfa'] },
    { authTime: undefined },
  )
  const oddSource = [
    { resource: 'https://unknown.example/' },
    { resource: [API] },
    { resource: [] },
    { claims: { id_token: { email: null } } },
    { isLate: true },
    { isGrantLate: true },
    { sessionUid: 'nowhere' },
    { isSessionOver: true },
    { grantId: 'nowhere' },
  ]
  const oddCode = fc.constantFrom<Facts[]>(
    ...oddSource,
    { codeChallengeMethod: 'plain' },
    { codeChallenge: VERIFIER },
    { dpopJkt: 'x' },
    { redirectUri: 'https://client.example/else' },
    { attestationJkt: 'x' },
  )
  const oddToken = fc.constantFrom<Facts[]>(
    ...oddSource,
    { rotations: undefined },
    { gty: 'authorization_code refresh_token' },
    { gty: undefined },
    { jkt: 'x' },
    { attestationJkt: 'x' },
    { iiat: BEGUN },
  )

  it.each<Kind>(['AuthorizationCode', 'RefreshToken'])(
    'spends a %s as the provider does',
    async (kind) => {
      let plain = 0
      const written = mostly(fc.constant<Write | undefined>(undefined), writtenForm)
      const asked = fc.tuple(cases(kind), written, oddHeaders)
      const runs = await holds(asked, async ([each, write = urlencoded, odd]) => {
        const before = provided.count
        const short = await outcomeOf(kind, each, write, odd, false)
        // The second use is the provider's in any case.
        if (provided.count - before === 1 && short.first.status === 200) plain++
        expect(short).toEqual(await outcomeOf(kind, each, write, odd, true))
      })
      expect(plain).toBeGreaterThan(runs / 20)
    },
    120_000,
  )

  it.each<Kind>(['AuthorizationCode', 'RefreshToken'])(
    'SE-06 spends nothing of a %s whose account, session or grant does not hold',
    async (kind) => {
      for (const change of [
        { change: { isSessionOver: true } },
        { change: { accountId: accounts.other } },
        { grantOf: accounts.other },
        {
          change: { accountId: accounts.gone, expiresWithSession: undefined },
          grantOf: accounts.gone,
        },
      ]) {
        const short = await outcomeOf(kind, { ...PLAIN, ...change }, urlencoded, {}, false)
        expect(short.first.status).toBe(400)
        expect(short).toEqual(await outcomeOf(kind, { ...PLAIN, ...change }, urlencoded, {}, true))
      }
    },
  )

  it.each<Kind>(['AuthorizationCode', 'RefreshToken'])(
    'TK-01 TK-03 gives tokens for a %s to one of fifty at once, by either way',
    async (kind) => {
      const shot = formShot('/token', strangers['own'] ?? '', formOf(kind, await make(kind, PLAIN)))
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => ask(server, index % 2 ? shot : longWay(shot))),
      )
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
        200,
        ...Array.from({ length: 49 }, () => 400),
      ])
    },
  )

  it('LG-01 records codes and refreshes as the provider does', async () => {
    const rows = async () => {
      await server.context.audit.flush()
      const types = ['token_issued', 'token_refreshed']
      const all = await server.context.database.em
        .fork()
        .find(AuditEvent, { type: { $in: types } }, { orderBy: { seq: 'desc' }, limit: 4 })
      return all.map(({ type, clientId, accountId, outcome, detail, sessionId }) => ({
        type,
        clientId,
        accountId,
        outcome,
        detail,
        hasSession: sessionId !== null,
      }))
    }
    for (const path of ['/token', '/token?way=long'])
      for (const kind of ['AuthorizationCode', 'RefreshToken'] as const) {
        const value = await make(kind, { ...PLAIN, scope: 'openid email', granted: 'openid email' })
        expect(
          (await ask(server, formShot(path, strangers['own'] ?? '', formOf(kind, value)))).status,
        ).toBe(200)
      }
    const [refreshed, issued, ...short] = await rows()
    expect([refreshed, issued]).toEqual(short)
    expect(issued).toMatchObject({
      type: 'token_issued',
      detail: { grant: 'authorization_code', scopes: ['openid', 'email'] },
      hasSession: true,
    })
  })
})
