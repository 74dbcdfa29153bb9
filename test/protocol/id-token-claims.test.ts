import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { createResource, type NewClient } from '../support/factories.ts'
import { type Answer, type SignedInApp, signedInApp } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { leftHalf } from '../support/two-ways.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

/** Forms that the fast path takes, and one more member that only the engine reads. */
const WAYS = [
  ['fast path', {}],
  ['engine', { unheard: 'of' }],
] as const

const saidBy = ({ body }: Answer) => decodeJwt(body.id_token as string)

async function codeOf(app: SignedInApp, change = {}): Promise<string> {
  return app.code({ scope: 'openid profile email', ...change })
}

describe.each(WAYS)('ID tokens, by the %s', (_way, more) => {
  const PERSON = ['name', 'email', 'email_verified', 'updated_at']

  it.each<[NewClient, readonly string[]]>([
    [{}, []],
    [{ idTokenClaims: 'minimal' }, []],
    [{ idTokenClaims: 'scope' }, PERSON],
  ])('with %j say of the person %j, at the code and at each refresh', async (input, expected) => {
    const app = await signedInApp(server, input)
    let answer = await app.redeem(await codeOf(app), more)
    for (let round = 0; round < 3; round++) {
      const said = saidBy(answer)
      expect(said).toMatchObject({ sub: app.account.id, aud: app.client.clientId })
      expect(PERSON.filter((name) => name in said)).toEqual(expected)
      if (expected.length > 0) expect(said['email']).toBe(app.account.email)
      answer = await app.refresh(answer.body.refresh_token as string, more)
    }
  })

  it('say nothing of scopes that were not granted', async () => {
    const app = await signedInApp(server, { idTokenClaims: 'scope' })
    const said = saidBy(await app.redeem(await codeOf(app, { scope: 'openid email' }), more))
    expect([said['email'], 'name' in said, 'phone_number' in said]).toEqual([
      app.account.email,
      false,
      false,
    ])
  })

  it.each([
    ['ES256', 'sha256'],
    ['RS256', 'sha256'],
    ['PS256', 'sha256'],
    ['EdDSA', 'sha512'],
  ] as const)('signed by %s tell by at_hash which access token came along', async (alg, name) => {
    const app = await signedInApp(server, { atHash: true, idTokenAlg: alg })
    const plain = await signedInApp(server, { idTokenAlg: alg })
    const first = await app.redeem(await codeOf(app), more)
    const second = await app.refresh(first.body.refresh_token as string, more)
    for (const answer of [first, second])
      expect(saidBy(answer)['at_hash']).toBe(leftHalf(name, answer.body.access_token as string))
    expect(saidBy(await plain.redeem(await codeOf(plain), more))).not.toHaveProperty('at_hash')
  })
})

describe('ID tokens of a client with idTokenClaims scope', () => {
  it('follow a refresh that asks for less', async () => {
    const app = await signedInApp(server, { idTokenClaims: 'scope' })
    const { body } = await app.redeem(await codeOf(app))
    const less = await app.refresh(body.refresh_token as string, { scope: 'openid email' })
    expect([saidBy(less)['email'], 'name' in saidBy(less)]).toEqual([app.account.email, false])
  })

  it('say the same beside a token of an API, and have its hash', async () => {
    const { identifier } = await createResource(server)
    const app = await signedInApp(server, { idTokenClaims: 'scope', atHash: true })
    const code = await codeOf(app, { scope: 'openid email read', resource: identifier })
    const answer = await app.redeem(code)
    expect(decodeJwt(answer.body.access_token as string).aud).toBe(identifier)
    expect(saidBy(answer)).toMatchObject({
      email: app.account.email,
      at_hash: leftHalf('sha256', answer.body.access_token as string),
    })
  })
})
