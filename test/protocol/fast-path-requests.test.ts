import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { AuditEvent } from '../../src/entities/index.ts'
import { createAccount, createClient, createResource } from '../support/factories.ts'
import { storeOddClient } from '../support/odd-clients.ts'
import { holds } from '../support/property.ts'
import { basic, nobody, type SignedInApp, signedInApp } from '../support/protocol.ts'
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
  type Shot,
  seen,
  writtenForm,
} from '../support/two-ways.ts'

const MACHINE = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
const CLAIMS = { userinfo: { name: null } }

/**
 * Whatever is asked at these three, the fast path answers what the engine would, byte for byte but
 * for what is random.
 */
describe.each(STORAGES)('fast path: requests on %s', (storage) => {
  let server: TestServer
  let app: SignedInApp
  let provided: Counted
  /** Authorization headers of clients of every kind, right and wrong. */
  let credentials: Record<string, string>
  /** Opaque tokens in every state that they can be in. */
  let tokens: Record<string, string>
  let apis: string[]

  beforeAll(async () => {
    server = await startServer({ storage, config: { trustedProxyHops: 1 } })
    provided = countProvided(server)
    apis = [
      (await createResource(server)).identifier,
      (
        await createResource(server, {
          identifier: 'https://mail.example/',
          scopes: ['send', 'email'],
        })
      ).identifier,
    ]
    app = await signedInApp(server, { refreshLeewaySeconds: 0 })
    credentials = await clientsOfEveryKind()
    tokens = await tokensOfEveryKind()
  })
  afterAll(() => server.stop())

  async function clientsOfEveryKind(): Promise<Record<string, string>> {
    const machine = await createClient(server, { type: 'service' })
    const narrow = await createClient(server, {
      type: 'service',
      resources: [apis[0] ?? ''],
      scopes: ['read'],
    })
    const serving = await createClient(server, {
      type: 'service',
      resources: apis,
    })
    const posting = await createClient(server, {
      type: 'service',
      authMethod: 'client_secret_post',
    })
    const open = await createClient(server, { secret: null })
    const spaced = await storeOddClient(server, 'its secret is no random one', {
      clientId: 'mail~er',
      secret: 'a secret: with 100% of everything',
      metadata: MACHINE,
    })
    const disabled = await createClient(server, { type: 'service' })
    await server.context.clients.disable(disabled.clientId)
    const of = (client: { clientId: string; clientSecret?: string | undefined }) =>
      basic(client).authorization
    const pair = Buffer.from(`${machine.clientId}:${machine.clientSecret}`)
    return {
      app: of(app.client),
      machine: of(machine),
      narrow: of(narrow),
      serving: of(serving),
      spaced: of(spaced),
      spacedPlus: `Basic ${Buffer.from('mail%7Eer:a+secret%3A+with+100%25+of+everything').toString('base64')}`,
      posting: of(posting),
      open: of(open),
      disabled: of(disabled),
      unknown: of({ clientId: 'nobody', clientSecret: 'nothing' }),
      wrongSecret: of({ ...machine, clientSecret: `${machine.clientSecret}x` }),
      noSecret: of({ clientId: machine.clientId, clientSecret: '' }),
      badEscape: `Basic ${Buffer.from(`${machine.clientId}:%zz`).toString('base64')}`,
      notAscii: `Basic ${Buffer.from(`${machine.clientId}:é`).toString('base64')}`,
      noColon: `Basic ${Buffer.from(machine.clientId).toString('base64')}`,
      lowerCase: of(machine).replace('Basic', 'basic'),
      twoSpaces: of(machine).replace(' ', '  '),
      noPadding: `Basic ${pair.toString('base64').replace(/=+$/, '')}`,
      padded: `Basic ${pair.toString('base64')}==`,
      notBase64: 'Basic *',
      bearer: `Bearer ${nobody()}`,
      empty: 'Basic',
    }
  }

  async function tokensOfEveryKind(): Promise<Record<string, string>> {
    const { provider } = server.context.authorizationServer
    const client = await provider.Client.find(app.client.clientId)
    const other = await createAccount(server)
    const gone = await createAccount(server, { status: 'disabled' })
    if (!client) throw new Error('the client is not registered')
    const accountId = app.account.id
    const grantOf = async (
      change: { account?: string; scope?: string; without?: string[] } = {},
    ) => {
      const grant = new provider.Grant({
        accountId: change.account ?? accountId,
        clientId: client.clientId,
      })
      grant.addOIDCScope(change.scope ?? 'openid email profile')
      if (change.without) {
        grant.rejectOIDCScope('profile')
        grant.rejectOIDCClaims(change.without)
      }
      return grant.save()
    }
    const mint = async (change: object = {}, grantId?: string) =>
      new provider.AccessToken({
        accountId,
        client,
        grantId: grantId ?? (await grantOf()),
        gty: 'authorization_code',
        scope: 'openid email profile',
        ...change,
      }).save()
    const { access_token: bound, refresh_token: refresh } = (
      await app.redeem(await app.code({ scope: 'openid email' }))
    ).body
    const first = (await app.redeem(await app.code({ scope: 'openid' }))).body
    const rotated = (await app.refresh(String(first['refresh_token']))).body
    const revoked = (await app.redeem(await app.code())).body
    const elsewhere = await signedInApp(server)
    const ended = (await elsewhere.redeem(await elsewhere.code())).body
    await server.context.store.revokeByAccount(elsewhere.account.id)
    await postForm(
      '/token/revocation',
      { token: String(revoked['access_token']) },
      basic(app.client).authorization,
    )
    return {
      plain: await mint(),
      bound: String(bound),
      refresh: String(refresh),
      spent: String(first['refresh_token']),
      successor: String(rotated['refresh_token']),
      ended: String(ended['access_token']),
      endedRefresh: String(ended['refresh_token']),
      revoked: String(revoked['access_token']),
      narrow: await mint({ scope: 'openid' }),
      wide: await mint(
        { scope: 'openid email profile phone address offline_access' },
        await grantOf({ scope: 'openid email' }),
      ),
      rejected: await mint({}, await grantOf({ without: ['email_verified', 'sub'] })),
      impersonal: await mint({ scope: 'email' }),
      scopeless: await mint({ scope: undefined }),
      claims: await mint({ claims: CLAIMS }),
      forOther: await mint({ accountId: other.id }),
      disabledAccount: await mint({ accountId: gone.id }, await grantOf({ account: gone.id })),
      grantless: await mint({}, nobody()),
      proof: await mint({ jkt: nobody() }),
      service: await new provider.ClientCredentials({ client, scope: 'read' }).save(),
      forApi: await mint({ aud: apis[1] }),
      unknown: nobody(),
      tooLong: `${nobody()}xx`,
      odd: '%00',
      jwt: String(
        (await app.redeem(await app.code({ resource: apis[0], scope: 'openid read' }))).body[
          'access_token'
        ],
      ),
      nothing: '',
    }
  }

  function postForm(
    path: string,
    form: Record<string, string>,
    authorization: string,
  ): Promise<Response> {
    return ask(server, formShot(path, authorization, form))
  }

  const anyKey = (of: Record<string, string>) => fc.constantFrom(...Object.keys(of))
  const contentType = fc.oneof(
    { weight: 9, arbitrary: fc.constant(FORM) },
    oneOf(
      `${FORM};charset=UTF-8`,
      `${FORM}; charset=utf-8`,
      `${FORM}; charset=utf-16le`,
      FORM.toUpperCase(),
      'application/json',
      'text/plain',
      '',
    ),
  )
  const path = (plain: string) =>
    fc.oneof({ weight: 9, arbitrary: fc.constant(plain) }, oneOf(`${plain}/`, plain.toUpperCase()))
  const method = (plain: string) =>
    fc.oneof(
      { weight: 12, arbitrary: fc.constant(plain) },
      oneOf('GET', 'POST', 'PUT', 'HEAD', 'OPTIONS'),
    )

  function bodyOf(
    fields: fc.Arbitrary<readonly (readonly [string, string])[]>,
  ): fc.Arbitrary<string> {
    return fc.tuple(fields, writtenForm).map(([pairs, write]) => write(pairs))
  }

  async function answersAlike(shot: fc.Arbitrary<Shot>): Promise<void> {
    let plain = 0
    const runs = await holds(shot, async (each) => {
      const before = provided.count
      const short = await seen(await ask(server, each))
      const long = await seen(await ask(server, longWay(each)))
      if (provided.count - before === 1) plain++
      expect(short).toEqual(long)
    })
    // What compares the provider with itself proves nothing.
    expect(plain).toBeGreaterThan(runs / 40)
  }

  it('answers userinfo as the provider does', async () => {
    const shot = fc
      .tuple(
        method('GET'),
        path('/userinfo'),
        anyKey(tokens),
        mostly(fc.constant('Bearer '), oneOf('bearer ', 'Bearer  ', 'DPoP ', '')),
        oddHeaders,
      )
      .map(([verb, at, token, scheme, odd]) => ({
        method: verb,
        path: at,
        headers: { authorization: scheme + (tokens[token] ?? ''), ...odd },
      }))
    await answersAlike(shot)
  })

  it('answers introspection as the provider does', async () => {
    const body = bodyOf(
      fc
        .tuple(anyKey(tokens), oneOf('', '', 'access_token', 'refresh_token', 'unheard_of'))
        .map(
          ([token, hint]) =>
            [
              ['token', tokens[token] ?? ''],
              ...(hint ? ([['token_type_hint', hint]] as const) : []),
            ] as const,
        ),
    )
    const client = mostly(oneOf('app', 'serving'), anyKey(credentials))
    await answersAlike(shots('/token/introspection', client, body))
  })

  it('answers client credentials as the provider does', async () => {
    const scope = mostly(
      oneOf<string | undefined>('read', 'read write'),
      oneOf(
        'write read read',
        '',
        ' ',
        'read ',
        'send',
        'email',
        'openid',
        'admin',
        'rëad',
        'a"b',
        undefined,
      ),
    )
    const resource = mostly(
      fc.constant<number | string | undefined>(0),
      oneOf<number | string | undefined>(
        1,
        'https://api.example',
        'https://api.example/#x',
        'nothing',
        '',
        'urn:x',
        undefined,
      ),
    )
    const grant = fc.oneof(
      { weight: 9, arbitrary: fc.constant('client_credentials') },
      oneOf('refresh_token', 'implicit', '', 'x'),
    )
    const body = bodyOf(
      fc
        .tuple(grant, scope, resource)
        .map(([grantType, wanted, at]) => [
          ['grant_type', grantType] as const,
          ...(at === undefined
            ? []
            : [['resource', typeof at === 'number' ? (apis[at] ?? '') : at] as const]),
          ...(wanted === undefined ? [] : [['scope', wanted] as const]),
        ]),
    )
    const client = mostly(
      oneOf('machine', 'narrow', 'serving', 'spaced', 'spacedPlus'),
      anyKey(credentials),
    )
    await answersAlike(shots('/token', client, body))
  })

  function shots(
    to: string,
    client: fc.Arbitrary<string>,
    body: fc.Arbitrary<string>,
  ): fc.Arbitrary<Shot> {
    return fc
      .tuple(method('POST'), path(to), client, contentType, oddHeaders, body)
      .map(([verb, at, key, type, odd, text]) => ({
        method: verb,
        path: at,
        headers: {
          authorization: credentials[key] ?? '',
          ...(type && verb !== 'GET' && verb !== 'HEAD' ? { 'content-type': type } : {}),
          ...odd,
        },
        body: text,
      }))
  }

  it('SE-07 tells each of many who ask at once about themselves, and nobody who is shut out', async () => {
    const { provider } = server.context.authorizationServer
    const client = await provider.Client.find(app.client.clientId)
    if (!client) throw new Error('the client is not registered')
    const people = await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        const { id, email } = await createAccount(server, {
          password: null,
          status: index % 6 === 5 ? 'disabled' : 'active',
        })
        const grant = new provider.Grant({ accountId: id, clientId: client.clientId })
        grant.addOIDCScope('openid email')
        const facts = {
          accountId: id,
          client,
          grantId: await grant.save(),
          gty: 'authorization_code',
          scope: 'openid email',
        }
        const claims = index % 6 === 5 ? undefined : { sub: id, email, email_verified: true }
        return { token: await new provider.AccessToken(facts).save(), claims }
      }),
    )
    const asked = [...people, ...people.toReversed()]
    const answers = await Promise.all(
      asked.map(({ token }) =>
        ask(server, {
          method: 'GET',
          path: '/userinfo',
          headers: { authorization: `Bearer ${token}` },
        }),
      ),
    )
    expect(
      await Promise.all(
        answers.map(async (answer) => (answer.status === 200 ? answer.json() : undefined)),
      ),
    ).toEqual(asked.map(({ claims }) => claims))
  })

  it('never goes to the provider with what is plain, and always with what is refused', async () => {
    const { plain = '', refresh = '', unknown = '' } = tokens
    const { machine = '', app: own = '', wrongSecret = '', spacedPlus = '' } = credentials
    const service = { grant_type: 'client_credentials', scope: 'read', resource: apis[0] ?? '' }
    const before = provided.count
    expect(
      (
        await ask(server, {
          method: 'GET',
          path: '/userinfo',
          headers: { authorization: `Bearer ${plain}` },
        })
      ).status,
    ).toBe(200)
    for (const token of [plain, refresh, unknown])
      expect((await postForm('/token/introspection', { token }, own)).status).toBe(200)
    for (const client of [machine, spacedPlus])
      expect((await postForm('/token', service, client)).status).toBe(200)
    expect(provided.count).toBe(before)
    expect((await postForm('/token', service, wrongSecret)).status).toBe(401)
    expect(
      (
        await ask(server, {
          method: 'GET',
          path: '/userinfo',
          headers: { authorization: `Bearer ${unknown}` },
        })
      ).status,
    ).toBe(401)
    expect(provided.count).toBe(before + 2)
  })

  it('LG-01 records a service token as the provider does', async () => {
    await server.context.audit.flush()
    const known = await server.context.database.em
      .fork()
      .count(AuditEvent, { type: 'token_issued' })
    const form = { grant_type: 'client_credentials', scope: 'write read', resource: apis[0] ?? '' }
    const { machine = '' } = credentials
    for (const path of ['/token', '/token?way=long'])
      expect((await postForm(path, form, machine)).status).toBe(200)
    await server.context.audit.flush()
    const rows = await server.context.database.em
      .fork()
      .find(AuditEvent, { type: 'token_issued' }, { orderBy: { seq: 'asc' }, offset: known })
    const [short, long] = rows.map(({ clientId, accountId, outcome, detail, sessionId }) => ({
      clientId,
      accountId,
      outcome,
      detail,
      sessionId,
    }))
    expect(short).toMatchObject({
      detail: { grant: 'client_credentials', scopes: ['write', 'read'] },
    })
    expect([short, rows.length]).toEqual([long, 2])
  })

  it.each([
    ['in one piece', 0],
    ['in two pieces', 40],
  ])(
    'answers one after the other on one connection, with a form that comes %s',
    async (_how, pause) => {
      const { host, port } = server.address
      const socket = connect({ host, port, noDelay: true })
      let received = ''
      socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk))
      const body = `token=${tokens['plain']}`
      const head = `POST /token/introspection HTTP/1.1\r\nHost: ${new URL(server.origin).host}\r\nAuthorization: ${credentials['app']}\r\nContent-Type: ${FORM}\r\nContent-Length: ${body.length}\r\n\r\n`
      for (let round = 1; round <= 5; round++) {
        socket.write(pause ? head + body.slice(0, 9) : head + body)
        if (pause) {
          await new Promise((resolve) => setTimeout(resolve, pause))
          socket.write(body.slice(9))
        }
        while (received.split('"active":true').length <= round)
          await new Promise((resolve) => setTimeout(resolve, 5))
      }
      socket.destroy()
      expect(received.match(/HTTP\/1\.1 200/g)).toHaveLength(5)
    },
  )
})
