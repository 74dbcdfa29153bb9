import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

describe('discovery and JWKS', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it.each([
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server',
    '/jwks',
    '/.well-known/jwks.json',
  ])(
    'serves %s from bytes that are the very answer of the provider, with a strong ETag',
    async (path) => {
      const first = await send(server.origin + path)
      const again = await send(server.origin + path)
      const byProvider = await send(server.origin + path, {
        headers: { origin: 'https://app.example' },
      })
      expect(again.status).toBe(200)
      const body = await again.text()
      expect(body).toBe(await first.text())
      expect(body).toBe(await byProvider.text())
      for (const name of ['content-type', 'etag', 'cache-control', 'x-content-type-options'])
        expect([name, again.headers.get(name)]).toEqual([name, first.headers.get(name)])
      expect(again.headers.get('cache-control')).toBe('public, max-age=300')
      expect(byProvider.headers.get('access-control-allow-origin')).toBe('*')

      const ids = [first, again].map((answer) => answer.headers.get('x-request-id'))
      expect([new Set(ids).size, ids.includes(null)]).toEqual([2, false])

      const unchanged = await send(server.origin + path, {
        headers: { 'if-none-match': again.headers.get('etag') ?? '' },
      })
      expect([unchanged.status, await unchanged.text()]).toEqual([304, ''])
    },
  )

  it('the keys are the same document under both names', async () => {
    const of = async (path: string) => {
      const response = await send(server.origin + path)
      const { headers } = response
      return [await response.text(), headers.get('etag'), headers.get('content-type')]
    }
    expect(await of('/.well-known/jwks.json')).toEqual(await of('/jwks'))
    const head = await send(`${server.origin}/.well-known/jwks.json`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  it('WB-10 answers for the issuer host only', async () => {
    await send(`${server.origin}/jwks`)
    expect(
      (await send(`${server.origin}/jwks`, { headers: { host: 'evil.example' } })).status,
    ).toBe(421)
  })

  it('changes with the keys', async () => {
    const before = await (await send(`${server.origin}/jwks`)).text()
    await server.context.keys.rotate('ES256')
    await server.context.authorizationServer.reloadKeys()
    expect(await (await send(`${server.origin}/jwks`)).text()).not.toBe(before)
  })
})
