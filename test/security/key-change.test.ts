import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Config } from '../../src/config/config.ts'
import { reseal } from '../../src/retention/reseal.ts'
import { UpstreamArrivals } from '../../src/upstream/arrivals.ts'
import { bindingTo, UpstreamFlows } from '../../src/upstream/flows.ts'
import { api, canRefresh, signedIn as signedInByApi, totp, withMfa } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createDatabase } from '../support/database.ts'
import { signedIn } from '../support/people.ts'
import { startServer, TEST_SECRETS, type TestServer } from '../support/server.ts'
import { STORAGES, startStorage, type TestStorage } from '../support/storages.ts'
import { createProvider } from '../support/upstream/providers.ts'

const FRESH_COOKIE_KEY = 'Qm5xTc8vLp2zKd6wRb9nGs3yFh7jAe4uXo1iWqMt'
const FRESH_ENCRYPTION_KEY = 'Vb7nMq2wXc5tYu9zKj4hGf1dSa8pLo3iRe6yTgHw'

describe.each(STORAGES)('keys change while grants are in %s', (name) => {
  let storage: TestStorage
  beforeAll(async () => {
    storage = await startStorage(name)
  })
  afterAll(async () => {
    await storage[Symbol.asyncDispose]()
  })

  it('CF-04 new cookie and encryption keys in front of the old ones sign nobody out, and what is sealed stays readable, and can be sealed anew until the old one may go', async () => {
    const database = await createDatabase()
    try {
      const config: Partial<Config> = { trustedProxyHops: 1, ...storage.config }
      await using before = await startServer({ database, config })
      const { browser } = await signedIn(before)
      const person = await signedInByApi(before)
      const another = await signedInByApi(before)
      const ofPerson = await withMfa(before, person)
      const ofAnother = await withMfa(before, another)
      const { kid } = (await before.context.keys.list())[0] ?? {}
      const client = { id: 'gatehouse', secret: 'told by the provider' }
      const providerId = await createProvider(before, { issuer: 'https://op.example', client })
      const { pool } = before.context.database
      const sealer = { pool, box: before.context.box }
      const binding = bindingTo('session', 'x')
      const failure = { code: 'upstream_cancelled' } as const
      const arrivalId = await new UpstreamArrivals(sealer).put(providerId, binding, { failure })
      const flow = { state: 'a state', browser: 'a browser' }
      const kept = { nonce: 'x', verifier: 'x', goOn: '/account' }
      await new UpstreamFlows(sealer).begin({
        ...flow,
        providerId,
        purpose: 'link',
        binding,
        kept,
      })

      const secrets = {
        cookieKeys: [FRESH_COOKIE_KEY, ...TEST_SECRETS.cookieKeys],
        keyEncryptionKeys: [FRESH_ENCRYPTION_KEY, ...TEST_SECRETS.keyEncryptionKeys],
      }
      await using after = await startServer({
        database,
        issuer: before.origin,
        config: { ...config, secrets },
      })
      const moved = new Browser(before.origin, { jar: browser.jar, connect: after.address })
      expect((await moved.visit('/account')).h1).toMatch(/^Hello/)
      expect(await canRefresh(after, person.refreshToken)).toBe(true)
      expect((await after.context.keys.list()).map((key) => key.kid)).toContain(kid)

      const signInWithCode = async (
        server: TestServer,
        { email, password }: typeof person,
        { secret }: typeof ofPerson,
      ) => {
        const { body } = await api(server, 'POST /sign-in/email', { email, password })
        expect(body.error).toBe('mfa_required')
        return (
          await api(server, 'POST /sign-in/email', {
            email,
            password,
            token: body.token,
            code: await totp(secret),
          })
        ).status
      }
      expect(await signInWithCode(after, person, ofPerson)).toBe(200)

      const anew = await reseal(after.context.database.pool, after.context.box)
      expect([...anew.values()].every((count) => count > 0)).toBe(true)
      expect([...(await reseal(after.context.database.pool, after.context.box)).values()]).toEqual([
        0, 0, 0, 0, 0, 0,
      ])
      const alone = { ...secrets, keyEncryptionKeys: [FRESH_ENCRYPTION_KEY] }
      await using without = await startServer({
        database,
        issuer: before.origin,
        config: { ...config, secrets: alone },
      })
      expect(await canRefresh(without, (await signedInByApi(after)).refreshToken)).toBe(true)
      expect(await signInWithCode(without, another, ofAnother)).toBe(200)
      const opener = { pool, box: without.context.box }
      const arrived = await new UpstreamArrivals(opener).find(arrivalId, binding)
      expect(arrived?.news).toEqual({ failure })
      expect((await new UpstreamFlows(opener).spend(providerId, flow))?.kept).toEqual(kept)
    } finally {
      await database.drop()
    }
  })
})
