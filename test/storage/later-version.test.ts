import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Context } from 'koa'
import { cookieName } from '../../src/config/cookie-names.ts'
import { createFlowCookie } from '../../src/http/pages/flow-cookie.ts'
import { startedBy } from '../../src/http/started-sign-ins.ts'
import { nextState, readState } from '../../src/oidc/interaction-state.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, createClient, PASSWORD } from '../support/factories.ts'
import { storeOddClient } from '../support/odd-clients.ts'
import { authorizationUrl, signIn } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const LATER = { version: 2, added: { deep: ['by', 'a', 'later', 'version'] } }
const STARTED = cookieName('started', { isHttps: false })

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

describe('F16 what a later version has stored is served by this one', () => {
  it.each([
    ['mail', { to: 'ada@example.org', subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' }],
    ['backchannel_logout', { clientId: 'gone', accountId: 'someone', sid: 'some-session' }],
  ] as const)('a message of the outbox: %s', async (topic, body) => {
    const { database, outbox, worker } = server.context
    await database.em.fork().transactional(async (tx) => {
      outbox.enqueue(tx, topic, { ...body, ...LATER })
    })
    await worker.drain()
    const failed = 'select count(*)::int as "count" from outbox_message where delivered_at is null'
    const undelivered = async () =>
      (await database.pool.query<{ count: number }>(failed)).rows[0]?.count
    await eventually(undelivered, 0)
    if (topic === 'mail') expect((await server.inbox.next('ada@example.org')).text).toBe('Hello')
  })

  it('the state of a sign-in, of which a step goes on and leaves what it does not know', async () => {
    const { authorizationServer } = server.context
    const { clientId } = await createClient(server, { firstParty: true })
    const browser = new Browser(server.origin)
    const login = await browser.visit(authorizationUrl(server, clientId))
    const uid = login.url.pathname.split('/')[2] ?? ''
    await browser.follow(login.links.find(({ pathname }) => pathname.endsWith('/sign-up')) ?? '')
    const email = 'later@example.org'
    await browser.submit('/sign-up', { name: 'Grace', email, password: PASSWORD })

    const stored = async () => {
      const found = await authorizationServer.provider.Interaction.find(uid)
      if (!found) throw new Error('the interaction is gone')
      return found
    }
    const interaction = await stored()
    const { signUp, ...others } = readState(interaction.result?.['gatehouse'])
    const state = { ...others, signUp: { ...signUp, ...LATER }, ...LATER }
    interaction.result = { ...interaction.result, gatehouse: state }
    await interaction.persist()

    await browser.visit(`/interaction/${uid}/sign-up`)
    await browser.submit('/sign-up', { name: 'Grace', email, password: PASSWORD })
    expect((await stored()).result?.['gatehouse']).toMatchObject(LATER)
    const code = await server.inbox.code(email)
    expect((await browser.submit('/verify-email', { code })).isForeign).toBe(true)
  })

  it('a step of it that cannot be read, which begins again while the others go on', () => {
    const signUp = { userId: 'u', tokenId: 't', email: 'e' }
    expect(readState({ signUp, mfa: { challenge: 1 } })).toEqual({ signUp })
    for (const odd of [undefined, null, 'text', 7, []]) expect(readState(odd)).toEqual({})
    expect(nextState({ signUp, ...LATER }, {})).toEqual(LATER)
  })

  it('what an interaction keeps is written as before', () => {
    const enrol = {
      accountId: 'a',
      amr: ['pwd'],
      isRemembered: false,
      credentialVersion: 3,
      isDone: false,
    }
    expect(JSON.stringify(nextState({ signUp: {} }, { enrol }))).toBe(JSON.stringify({ enrol }))
  })

  it('a client, which keeps what is unknown when it is changed', async () => {
    const { clients, database } = server.context
    const metadata = { later_setting: LATER }
    const { clientId } = await storeOddClient(
      server,
      'it has metadata that no registration makes',
      {
        firstParty: true,
        metadata,
      },
    )
    await clients.disable(clientId)
    await clients.enable(clientId)
    const kept = 'select metadata from client where id = $1'
    const { rows } = await database.pool.query<{ metadata: object }>(kept, [clientId])
    expect(rows[0]?.metadata).toMatchObject(metadata)
    const browser = new Browser(server.origin)
    await browser.visit(authorizationUrl(server, clientId))
    const account = await createAccount(server)
    expect((await signIn(browser, account.email)).isForeign).toBe(true)
  })

  it('the cookies of a browser; that of a flow keeps what is unknown when it is written again', () => {
    const flow = createFlowCookie('reset', { isHttps: false })
    const begun = { tokenId: 'one', email: 'ada@example.org', ...LATER }
    const ctx = browserWith({
      [cookieName('reset', { isHttps: false })]: Buffer.from(JSON.stringify(begun)).toString(
        'base64url',
      ),
      [STARTED]: `uid-1:${Buffer.from('app').toString('base64url')}:more`,
    })
    const read = flow.read(ctx)
    expect(read).toEqual(begun)
    if (read) flow.write(ctx, { ...read, tokenId: 'two' })
    expect(flow.read(ctx)).toEqual({ ...begun, tokenId: 'two' })

    expect(startedBy(ctx, 'uid-1')).toBe('app')
  })
})

/** What the cookies of a request are to code that reads and writes them. */
function browserWith(values: Readonly<Record<string, string>>) {
  const cookies = new Map(Object.entries(values))
  const get = (name: string) => cookies.get(name)
  const set = (name: string, value: string) => cookies.set(name, value)
  return { secure: false, cookies: { get, set } } as unknown as Context
}
