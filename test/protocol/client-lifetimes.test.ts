import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { createClient, createResource, type NewClient } from '../support/factories.ts'
import { basic, post, type SignedInApp, signedInApp } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let api: string
beforeAll(async () => {
  server = await startServer()
  api = (await createResource(server)).identifier
})
afterAll(() => server.stop())

/** By the fast path, and by the engine, which alone reads one more member. */
const WAYS = [{}, { unheard: 'of' }] as const

/** How long the refresh token lives, as introspection says. */
async function lifeOf({ client }: SignedInApp, token: string): Promise<number> {
  const { body } = await post(server, '/token/introspection', { token }, basic(client))
  return (body.exp as number) - (body.iat as number)
}

describe('lifetimes of one client', () => {
  it.each<[NewClient, number, number]>([
    [{}, 600, 600],
    [{ accessTokenSeconds: 120 }, 120, 120],
    // A JWT for an API lives no longer than the API says.
    [{ accessTokenSeconds: 7200 }, 7200, 600],
  ])('TK-17 with %j: %d seconds, for an API %d', async (input, opaque, jwt) => {
    const app = await signedInApp(server, input)
    for (const way of WAYS) {
      const plain = await app.redeem(await app.code(), way)
      expect(plain.body.expires_in).toBe(opaque)
      const again = await app.refresh(plain.body.refresh_token as string, way)
      expect(again.body.expires_in).toBe(opaque)
      const forApi = await app.redeem(await app.code({ scope: 'openid read', resource: api }), way)
      const { iat = 0, exp = 0 } = decodeJwt(forApi.body.access_token as string)
      expect([forApi.body.expires_in, exp - iat]).toEqual([jwt, jwt])
    }
  })

  it('TK-17 of a service, too', async () => {
    const service = await createClient(server, {
      type: 'service',
      resources: [api],
      accessTokenSeconds: 90,
    })
    for (const way of WAYS) {
      const form = { grant_type: 'client_credentials', resource: api, scope: 'read', ...way }
      const { body } = await post(server, '/token', form, basic(service))
      expect(body.expires_in).toBe(90)
    }
  })

  it('TK-05 a refresh token idles out after as long as the client says, at each refresh anew', async () => {
    const app = await signedInApp(server, { refreshIdleSeconds: 600 })
    for (const way of WAYS) {
      const { body: first } = await app.redeem(await app.code(), way)
      expect(await lifeOf(app, first.refresh_token as string)).toBe(600)
      const { body: second } = await app.refresh(first.refresh_token as string, way)
      expect(await lifeOf(app, second.refresh_token as string)).toBe(600)
    }
  })

  it.each<[NewClient, string, string]>([
    [{ accessTokenSeconds: 59 }, 'accessTokenSeconds', 'too_short'],
    [{ accessTokenSeconds: 86_401 }, 'accessTokenSeconds', 'too_long'],
    [{ accessTokenSeconds: 90.5 }, 'accessTokenSeconds', 'invalid_type'],
    [{ accessTokenSeconds: Number.NaN }, 'accessTokenSeconds', 'invalid_type'],
    [{ refreshIdleSeconds: 599 }, 'refreshIdleSeconds', 'too_short'],
    [{ refreshIdleSeconds: 30 * 86_400 + 1 }, 'refreshIdleSeconds', 'too_long'],
  ])('CL-01 refuses %j', async (input, field, code) => {
    const refused = await createClient(server, input).catch(
      ({ details }: { details: { fields: object } }) => details.fields,
    )
    expect(refused).toEqual({ [field]: code })
  })
})
