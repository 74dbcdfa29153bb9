import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createClient } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { basic, post } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let credentials: Readonly<Record<string, string>>

beforeAll(async () => {
  server = await startServer()
  credentials = basic(await createClient(server))
})
afterAll(() => server.stop())

const FORM = 'application/x-www-form-urlencoded'

async function revoke(headers: Readonly<Record<string, string>>, body = 'token=unknown') {
  const length = String(body.length)
  const response = await send(`${server.origin}/token/revocation`, {
    method: 'POST',
    headers: { 'content-length': length, ...credentials, ...headers },
    body,
  })
  return [response.status, response.headers.get('content-type'), await response.text()]
}

describe('revocation', () => {
  it.each([
    ['nothing', {}],
    ['anything', { accept: '*/*' }],
    ['a page', { accept: 'text/html' }],
  ])('RFC 7009 2.2 answers who accepts %s without body and media type', async (_what, accept) => {
    expect(await revoke({ 'content-type': FORM, ...accept })).toEqual([200, null, ''])
  })

  it.each([['application/json'], ['application/json, text/plain, */*']])(
    'RFC 7009 2.2 answers who asks for %s with an empty object',
    async (accept) => {
      const json = 'application/json; charset=utf-8'
      expect(await revoke({ 'content-type': FORM, accept })).toEqual([200, json, '{}'])
    },
  )

  it('RFC 7009 2.1 takes a form that does not say that it is one, and ends the token', async () => {
    const { clientId, clientSecret } = await createClient(server, { type: 'service' })
    const mine = basic({ clientId, clientSecret })
    const { access_token: token } = (
      await post(server, '/token', { grant_type: 'client_credentials' }, mine)
    ).body
    const isActive = async () =>
      (await post(server, '/token/introspection', { token }, mine)).body.active
    expect(await isActive()).toBe(true)
    expect(await revoke(mine, `token=${token}`)).toEqual([200, null, ''])
    expect(await isActive()).toBe(false)
  })

  it('TK-15 still refuses what it cannot read, in words', async () => {
    for (const type of ['application/json', 'text/plain']) {
      const [status, , text] = await revoke({ 'content-type': type }, '{"token":"unknown"}')
      expect([status, JSON.parse(String(text)).error]).toEqual([400, 'invalid_request'])
    }
    expect((await revoke({}, ''))[0]).toBe(400)
    expect((await revoke({ authorization: 'Basic eA==', 'content-type': FORM }))[0]).toBe(400)
  })
})
