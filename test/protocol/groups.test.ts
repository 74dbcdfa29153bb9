import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { type Cluster, startCluster } from '../support/balancer.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, createResource } from '../support/factories.ts'
import { send } from '../support/http.ts'
import {
  basic,
  get,
  post,
  type SignedInApp,
  signedInApp,
  signIn,
  VERIFIER,
} from '../support/protocol.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { trace } from '../support/tracing.ts'

const API = 'https://groups.example/'
const PLAIN_API = 'https://api.example/'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
  await createResource(server)
  await server.context.resources.create({
    identifier: API,
    name: 'Wiki',
    scopes: ['wiki'],
    includeGroups: true,
  })
  for (const name of ['Editors', 'admins', 'Zoo', 'cooks'])
    await server.context.groups.create({ name })
})
afterAll(() => server.stop())

async function put(accountId: string, ...names: string[]): Promise<void> {
  const { groups, memberships } = server.context
  for (const name of names) await memberships.add((await groups.find(name)).id, accountId)
}

async function take(accountId: string, name: string): Promise<void> {
  const { groups, memberships } = server.context
  await memberships.remove((await groups.find(name)).id, accountId)
}

async function tokensOf(app: SignedInApp, change: Readonly<Record<string, string>> = {}) {
  const code = await app.code({ scope: 'openid groups', ...change })
  return (await app.redeem(code)).body as Record<string, string>
}

const userinfo = async (token: string | undefined, way = '') =>
  (await get(new URL(`/userinfo${way}`, server.origin), { authorization: `Bearer ${token}` })).body

const introspection = async (app: SignedInApp, token: string | undefined, way = '') =>
  (await post(server, `/token/introspection${way}`, { token }, basic(app.client))).body

describe('groups', () => {
  it("of the operator's own app: all names, in one order, at userinfo and introspection", async () => {
    const app = await signedInApp(server)
    await put(app.account.id, 'zoo', 'EDITORS', 'admins')
    const tokens = await tokensOf(app)
    const groups = ['Editors', 'Zoo', 'admins']
    for (const way of ['', '?way=long']) {
      expect(await userinfo(tokens['access_token'], way)).toEqual({ sub: app.account.id, groups })
      expect(await introspection(app, tokens['access_token'], way)).toMatchObject({
        active: true,
        groups,
      })
    }
  })

  it('of any other app: the names that the operator gave it, and no other', async () => {
    const [named, unnamed] = [
      await relyingParty(server, { groups: ['EDITORS', 'cooks'] }),
      await relyingParty(server, {}),
    ]
    const account = await createAccount(server)
    await put(account.id, 'editors', 'admins')
    for (const [app, groups] of [
      [named, ['Editors']],
      [unnamed, []],
    ] as const) {
      const browser = new Browser(server.origin)
      await browser.visit(app.authorizationUrl({ scope: 'openid groups' }))
      const page = await signIn(browser, account.email)
      expect(page.words).toContain('See which groups you are in')
      const { url } = await browser.submit('/consent', {}, { button: 'allow' })
      const { access_token: token } = await app.redeem(url)
      expect(await userinfo(token)).toEqual({ sub: account.id, groups })
      expect(await app.introspect(token)).toMatchObject({ groups })
    }
  })

  it('somebody in none has an empty list, and an app that was not asked for it no claim', async () => {
    const app = await signedInApp(server)
    expect(await userinfo((await tokensOf(app))['access_token'])).toEqual({
      sub: app.account.id,
      groups: [],
    })
    const plain = await tokensOf(app, { scope: 'openid email' })
    expect(await userinfo(plain['access_token'])).not.toHaveProperty('groups')
    expect(await introspection(app, plain['access_token'])).not.toHaveProperty('groups')
  })

  it('are in no ID token of an app whose ID tokens have no claims, whatever API it is for', async () => {
    const app = await signedInApp(server)
    await put(app.account.id, 'admins')
    for (const change of [{}, { scope: 'openid groups email read', resource: PLAIN_API }])
      expect(decodeJwt((await tokensOf(app, change))['id_token'] ?? '')).not.toHaveProperty(
        'groups',
      )
  })

  it('are in ID tokens of an app whose ID tokens have claims, by both ways and after a refresh', async () => {
    const app = await signedInApp(server, { idTokenClaims: 'scope', groups: ['admins'] })
    await put(app.account.id, 'admins', 'cooks')
    for (const way of ['', '?way=long']) {
      const code = await app.code({ scope: 'openid groups' })
      const form = {
        grant_type: 'authorization_code',
        code,
        redirect_uri: app.client.redirectUri,
        code_verifier: VERIFIER,
      }
      const { body } = await post(server, `/token${way}`, form, basic(app.client))
      expect(decodeJwt(body.id_token)['groups']).toEqual(['admins'])
    }
    const { body } = await app.refresh((await tokensOf(app))['refresh_token'] ?? '')
    expect(decodeJwt(body.id_token)['groups']).toEqual(['admins'])
  })

  it('are in the access tokens of an API that is registered so, and of no other', async () => {
    const app = await signedInApp(server)
    await put(app.account.id, 'admins')
    const claims = async (change: Readonly<Record<string, string>>) =>
      decodeJwt((await tokensOf(app, change))['access_token'] ?? '')
    expect(await claims({ scope: 'openid groups wiki', resource: API })).toMatchObject({
      aud: API,
      groups: ['admins'],
    })
    // Nobody allowed the app to see them.
    expect(await claims({ scope: 'openid wiki', resource: API })).not.toHaveProperty('groups')
    expect(await claims({ scope: 'openid groups read', resource: PLAIN_API })).not.toHaveProperty(
      'groups',
    )
  })

  it('a refresh names those of that moment, and none where it asks for less', async () => {
    const app = await signedInApp(server)
    await put(app.account.id, 'admins', 'cooks')
    const first = await tokensOf(app, { scope: 'openid groups wiki', resource: API })
    await take(app.account.id, 'cooks')
    const { body: second } = await app.refresh(first['refresh_token'] ?? '')
    expect(decodeJwt(second['access_token'])['groups']).toEqual(['admins'])
    const { body: third } = await app.refresh(second['refresh_token'], { scope: 'openid wiki' })
    expect(decodeJwt(third['access_token'])).not.toHaveProperty('groups')
  })

  it('end where the operator takes the scope back, for what was allowed before, too', async () => {
    const app = await signedInApp(server)
    await put(app.account.id, 'admins')
    const { access_token: token } = await tokensOf(app)
    await server.context.clients.update(app.client.clientId, { scopes: ['openid', 'email'] })
    await eventually(async () => 'groups' in (await userinfo(token)), false)
    expect(await introspection(app, token)).not.toHaveProperty('groups')
  })

  it('a membership that has run out is none', async () => {
    const app = await signedInApp(server)
    await put(app.account.id, 'admins', 'cooks')
    const { pool } = server.context.database
    await pool.query(
      `update "group_member" set "until" = now() - interval '1 second' where "account_id" = $1 and "group_id" = (select "id" from "account_group" where "name" = 'cooks')`,
      [app.account.id],
    )
    expect(await userinfo((await tokensOf(app))['access_token'])).toMatchObject({
      groups: ['admins'],
    })
  })

  it('cost one statement where they are asked for, and none elsewhere', async () => {
    const app = await signedInApp(server)
    await put(app.account.id, 'admins')
    await server.context.audit.flush()
    const seen = async (scope: string) => {
      const { access_token: token } = await tokensOf(app, { scope })
      await userinfo(token)
      return (await trace(() => userinfo(token))).commands.filter(
        (name) => name === 'account-groups',
      )
    }
    expect([await seen('openid groups'), await seen('openid email')]).toEqual([
      ['account-groups'],
      [],
    ])
  })
})

describe('more groups than a token may hold', () => {
  let app: SignedInApp
  beforeAll(async () => {
    app = await signedInApp(server)
    await server.context.database.pool.query(
      `with made as (insert into "account_group" ("id", "name", "name_key", "created_at")
         select gen_random_uuid(), 'many-' || n, 'many-' || n, now() from generate_series(100, 300) n returning "id")
       insert into "group_member" ("group_id", "account_id", "since") select "id", $1, now() from made`,
      [app.account.id],
    )
  })

  it('are left out of it, which says that userinfo has them (OIDC Core 5.6.2), and told once a day', async () => {
    for (let times = 0; times < 2; times += 1) {
      const tokens = await tokensOf(app, { scope: 'openid groups wiki', resource: API })
      const claims = decodeJwt(tokens['access_token'] ?? '')
      expect(claims).not.toHaveProperty('groups')
      expect(claims).toMatchObject({
        _claim_names: { groups: 'userinfo' },
        _claim_sources: { userinfo: { endpoint: `${server.origin}/userinfo` } },
      })
    }
    await server.context.audit.flush()
    const { rows } = await server.context.database.pool.query(
      `select "detail" from "audit_event" where "type" = 'claims_truncated' and "client_id" = $1`,
      [app.client.clientId],
    )
    expect(rows).toEqual([{ detail: { claim: 'groups', count: 201 } }])
  })

  it('are all at userinfo and introspection', async () => {
    const { access_token: token } = await tokensOf(app)
    expect((await userinfo(token))['groups']).toHaveLength(201)
    expect((await introspection(app, token))['groups']).toHaveLength(201)
  })

  it('one less is in the token, unless it is longer than 4 kB', async () => {
    await take(app.account.id, 'many-300')
    const claims = async () =>
      decodeJwt(
        (await tokensOf(app, { scope: 'openid groups wiki', resource: API }))['access_token'] ?? '',
      )
    expect((await claims())['groups']).toHaveLength(200)
    await server.context.database.pool.query(
      `update "account_group" set "name" = rpad("name", 30, 'x') where "name" like 'many-%'`,
    )
    expect(await claims()).not.toHaveProperty('groups')
  })

  it('nobody is in more than a thousand', async () => {
    const { id } = await createAccount(server)
    await server.context.database.pool.query(
      `with made as (insert into "account_group" ("id", "name", "name_key", "created_at")
         select gen_random_uuid(), 'all-' || n, 'all-' || n, now() from generate_series(1, 1000) n returning "id")
       insert into "group_member" ("group_id", "account_id", "since") select "id", $1, now() from made`,
      [id],
    )
    await expect(put(id, 'admins')).rejects.toMatchObject({
      details: { fields: { accounts: 'too_many_groups' } },
    })
    expect(await server.context.memberships.namesOf(id)).toHaveLength(1000)
  })
})

describe('groups on two instances', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster(2)
  })
  afterAll(() => cluster.stop())

  it('who is taken out on one is out in the next answer of the other', async () => {
    const [one, other] = cluster.instances
    if (!one || !other) throw new Error('two are needed')
    const app = await signedInApp(one)
    const { groups, memberships } = one.context
    const { id } = await groups.create({ name: 'staff' })
    await memberships.add(id, app.account.id)
    const token = (await app.redeem(await app.code({ scope: 'openid groups' }))).body.access_token
    const at = async ({ address }: TestServer) => {
      const url = new URL('/userinfo', cluster.origin)
      const headers = { authorization: `Bearer ${token}` }
      const answer = await send(url, { headers, connect: address })
      return ((await answer.json()) as { groups: string[] }).groups
    }
    expect([await at(one), await at(other)]).toEqual([['staff'], ['staff']])
    await memberships.remove(id, app.account.id)
    expect([await at(other), await at(one)]).toEqual([[], []])
  })
})
