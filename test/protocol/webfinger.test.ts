import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createAccount } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const ISSUER_REL = 'http://openid.net/specs/connect/1.0/issuer'
let server: TestServer

beforeAll(async () => {
  server = await startServer({
    config: { webFingerDomains: ['example.org', 'xn--bcher-kva.example'] },
  })
})
afterAll(() => server.stop())

async function finger(query: string, method = 'GET', headers = {}) {
  const response = await send(`${server.origin}/.well-known/webfinger${query}`, { method, headers })
  const header = (name: string) => response.headers.get(name)
  const text = await response.text()
  return {
    status: response.status,
    type: header('content-type'),
    origin: header('access-control-allow-origin'),
    credentials: header('access-control-allow-credentials'),
    text,
  }
}
const of = (resource: string) => finger(`?resource=${encodeURIComponent(resource)}`)

describe('WebFinger (RFC 7033)', () => {
  it.each([
    'acct:joe@example.org',
    'acct:joe@EXAMPLE.org',
    'ACCT:joe@example.org',
    'acct:joe.o%27neil+x@example.org',
    'acct:joe@bücher.example',
  ])('RFC 7033 says for %s where its people sign in', async (resource) => {
    const { status, type, origin, text } = await of(resource)
    expect([status, type, origin]).toEqual([200, 'application/jrd+json', '*'])
    expect(JSON.parse(text)).toEqual({
      subject: resource,
      links: [{ rel: ISSUER_REL, href: server.origin }],
    })
  })

  it('EN-01 answers alike whoever has an account: nobody is looked up', async () => {
    const { email } = await createAccount(server, { email: 'ada@example.org' })
    const known = await of(`acct:${email}`)
    const unknown = await of('acct:bob@example.org')
    expect(known.text.replace('ada@', 'bob@')).toBe(unknown.text)
  })

  it.each<[string, number]>([
    ['', 400],
    ['?resource=', 400],
    ['?rel=x', 400],
    ['?resource=acct:a@example.org&resource=acct:b@example.org', 400],
    ['?resource=acct:joe@other.example', 404],
    ['?resource=acct:joe@sub.example.org', 404],
    ['?resource=acct:joe@example.org.evil.example', 404],
    ['?resource=acct:joe@example.org@evil.example', 404],
    ['?resource=acct:joe@evil.example@example.org', 404],
    ['?resource=acct:joe@example.org/x', 404],
    ['?resource=acct:joe@example.org%3Fx', 404],
    ['?resource=acct:joe@example.org%5Cx', 404],
    ['?resource=acct:joe@%2565xample.org', 404],
    ['?resource=acct:@example.org', 404],
    ['?resource=acct:joe', 404],
    ['?resource=joe@example.org', 404],
    ['?resource=https://example.org/joe', 404],
    ['?resource=acct:joe@example.org%00', 404],
    ['?resource=%ff%fe', 404],
    [`?resource=acct:${'a'.repeat(9000)}@example.org`, 400],
  ])('RFC 7033 4.2 answers %s with %s', async (query, status) => {
    const answer = await finger(query)
    expect([answer.status, answer.type]).toEqual([status, 'application/json; charset=utf-8'])
  })

  it('RFC 7033 4.3 leaves out links that were not asked for', async () => {
    const resource = '?resource=acct:joe@example.org'
    const links = async (query: string) =>
      (JSON.parse((await finger(resource + query)).text) as { links: unknown[] }).links.length
    expect(await links('&rel=avatar')).toBe(0)
    expect(await links(`&rel=avatar&rel=${encodeURIComponent(ISSUER_REL)}`)).toBe(1)
  })

  it('RFC 7033 5 may be read from any origin, never with credentials', async () => {
    for (const [method, status] of [
      ['GET', 200],
      ['HEAD', 200],
      ['OPTIONS', 204],
    ] as const) {
      const answer = await finger('?resource=acct:joe@example.org', method, {
        origin: 'https://anyone.example',
        'access-control-request-method': 'GET',
      })
      expect([method, answer.status, answer.origin, answer.credentials]).toEqual([
        method,
        status,
        '*',
        null,
      ])
    }
    expect((await finger('?resource=acct:joe@example.org', 'POST')).status).toBe(405)
  })

  it('knows nobody where no domain is configured', async () => {
    await using plain = await startServer()
    const url = `${plain.origin}/.well-known/webfinger?resource=acct:joe@example.org`
    expect((await send(url)).status).toBe(404)
  })
})
