import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Cluster, startCluster } from './balancer.ts'
import { Browser } from './browser.ts'
import { createAccount, createClient } from './factories.ts'
import { send } from './http.ts'
import { relyingParty } from './relying-party.ts'
import { startServer, type TestServer } from './server.ts'

describe('a test server', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it('answers discovery under its issuer', async () => {
    const metadata = await (await send(`${server.origin}/.well-known/openid-configuration`)).json()
    expect(metadata).toMatchObject({ issuer: server.origin, jwks_uri: `${server.origin}/jwks` })
  })

  it('knows the accounts and clients that factories make', async () => {
    const account = await createAccount(server)
    const { clientId } = await createClient(server)
    expect(await server.context.accounts.findActive(account.id)).toMatchObject({
      email: account.email,
    })
    const app = await relyingParty(server, { clientId })
    const page = await new Browser(server.origin).visit(app.authorizationUrl())
    expect([page.status, page.isForeign, page.url.pathname.split('/')[1]]).toEqual([
      200,
      false,
      'interaction',
    ])
  })

  it('has an empty inbox', async () => {
    expect(await server.inbox.mails()).toEqual([])
  })
})

async function kidsAt(origin: string): Promise<string[]> {
  const { keys } = (await (await send(`${origin}/jwks`)).json()) as { keys: { kid: string }[] }
  return keys.map(({ kid }) => kid).sort()
}

describe('a test cluster', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster(2)
  })
  afterAll(() => cluster.stop())

  it('has two instances with one issuer and one key set, reached in turn', async () => {
    const [first, second] = cluster.instances
    expect([first?.origin, second?.origin]).toEqual([cluster.origin, cluster.origin])
    expect(first?.address.port).not.toBe(second?.address.port)
    const answers = await Promise.all([1, 2].map(() => kidsAt(cluster.origin)))
    expect(answers[0]).toHaveLength(4)
    expect(answers[0]).toEqual(answers[1])
  })
})
