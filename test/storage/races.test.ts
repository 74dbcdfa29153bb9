import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { randomToken } from '../../src/crypto/token.ts'
import { useDatabase } from '../support/database.ts'
import { connectTo, startRedis, type TestRedis } from '../support/redis.ts'
import type { StoreUnderTest } from './adapter-contract.ts'
import { CLIENT, type Instance, PKCE, startInstance } from './bare-provider.ts'
import { PostgresStorages } from './postgres-store.ts'
import { RedisStorages } from './redis-store.ts'

const FAMILIES = 200
const PARALLEL = 50

const database = useDatabase()

describe.each(['PostgreSQL', 'Redis'] as const)('two instances on one %s', (name) => {
  let storages: PostgresStorages | RedisStorages
  let redis: TestRedis | undefined
  let storage: StoreUnderTest
  let instances: readonly [Instance, Instance]

  beforeAll(async () => {
    storages = name === 'Redis' ? await onRedis() : new PostgresStorages(database.url)
    storage = await storages.make()
    instances = [await startInstance(storage.open()), await startInstance(storage.open())]
  })
  afterAll(async () => {
    for (const instance of instances) await instance[Symbol.asyncDispose]()
    await storages[Symbol.asyncDispose]()
    await redis?.[Symbol.asyncDispose]()
  })

  async function onRedis(): Promise<RedisStorages> {
    redis = await startRedis()
    const direct = connectTo(redis.url)
    return new RedisStorages({ urls: [redis.url], sentinels: [] }, async () => [direct])
  }

  /** What a sign-in leaves: a grant, and a code or a refresh token of it. */
  async function issue(model: 'AuthorizationCode' | 'RefreshToken'): Promise<string> {
    const { provider } = instances[0]
    const client = await provider.Client.find(CLIENT.client_id)
    if (!client) throw new Error('the client is configured')
    const grant = new provider.Grant({ accountId: 'ada', clientId: client.clientId })
    grant.addOIDCScope('openid offline_access')
    const common = {
      accountId: 'ada',
      client,
      grantId: await grant.save(),
      scope: 'openid offline_access',
      sessionUid: randomToken(),
    }
    if (model === 'RefreshToken')
      return new provider.RefreshToken({
        ...common,
        gty: 'authorization_code',
        rotations: 0,
      }).save()
    const pkce = { codeChallenge: PKCE.challenge, codeChallengeMethod: 'S256' }
    return new provider.AuthorizationCode({
      ...common,
      ...pkce,
      redirectUri: CLIENT.redirect_uri,
    } as never).save()
  }

  const redeem = (code: string) => ({
    grant_type: 'authorization_code',
    code,
    redirect_uri: CLIENT.redirect_uri,
    code_verifier: PKCE.verifier,
  })
  const refresh = (token = '') => ({ grant_type: 'refresh_token', refresh_token: token })

  /** 50 clients at once, half of them at each instance; the tokens of those that won. */
  async function race(form: Record<string, string>): Promise<Record<string, string>[]> {
    const answers = await Promise.all(
      Array.from({ length: PARALLEL }, (_, index) =>
        instances[index % 2 === 0 ? 0 : 1].token(form),
      ),
    )
    for (const { status, body } of answers)
      if (status !== 200) expect([status, body['error']]).toEqual([400, 'invalid_grant'])
    return answers.flatMap(({ status, body }) => (status === 200 ? [body] : []))
  }

  const cases = [
    { id: 'TK-01 F18', model: 'AuthorizationCode', what: 'codes', form: redeem },
    { id: 'TK-03 F18', model: 'RefreshToken', what: 'refresh tokens', form: refresh },
  ] as const

  it.each(cases)(
    `$id: of ${FAMILIES} $what exchanged ${PARALLEL} times at once, each succeeds once, and every winner's next refresh works`,
    async ({ model, form }) => {
      const sources = await Promise.all(Array.from({ length: FAMILIES }, () => issue(model)))
      const winners: Record<string, string>[] = []
      for (const source of sources) {
        const won = await race(form(source))
        expect(won).toHaveLength(1)
        winners.push(...won)
      }
      const next = await Promise.all(
        winners.map(({ refresh_token }, index) =>
          instances[index % 2 === 0 ? 0 : 1].token(refresh(refresh_token)),
        ),
      )
      expect(next.map(({ status }) => status)).toEqual(Array.from({ length: FAMILIES }, () => 200))
    },
    240_000,
  )

  it.each(cases)(
    '$id: a second use of $what within the leeway fails and the family lives; after it the family ends',
    async ({ model, form }) => {
      const source = await issue(model)
      const [one, two] = instances
      const first = await one.token(form(source))
      expect(first.status).toBe(200)
      await storage.age(5)
      expect(await two.token(form(source))).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      })
      const child = await two.token(refresh(first.body['refresh_token']))
      expect(child.status).toBe(200)
      expect((await userinfo(one, child.body['access_token'])).status).toBe(200)

      await storage.age(31)
      expect(await one.token(form(source))).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      })
      expect(await two.token(refresh(child.body['refresh_token']))).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      })
      for (const token of [first, child])
        expect((await userinfo(two, token.body['access_token'])).status).toBe(401)
    },
  )

  it('TK-04 a rotation that was cut off before its answer is not spent twice when it is replayed', async () => {
    const source = await issue('RefreshToken')
    const { RefreshToken } = instances[0].provider
    await (await RefreshToken.find(source))?.consume()
    const fresh = await startInstance(storage.open())
    expect(await fresh.token(refresh(source))).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    })
    await fresh[Symbol.asyncDispose]()
  })

  function userinfo(instance: Instance, token = ''): Promise<{ status: number }> {
    return instance.send('GET', '/me', { headers: { authorization: `Bearer ${token}` } })
  }
})
