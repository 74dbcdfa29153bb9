import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openDatabase } from '../../src/database/database.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, createResource, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type CountingPostgres, startCountingPostgres } from '../support/statement-statistics.ts'
import { trace } from '../support/tracing.ts'

/** Of every kind in one block, and blocks until all connections have planned what they ever will. */
const TIMES = 3
const BLOCKS = 16
/** The change feed's, on a connection of its own. */
const HEARTBEAT = 'select $1'

/**
 * PostgreSQL plans a statement again and again, unless it has a name and its plan may be kept; that
 * was half of what a sign-in cost the database. Counted by PostgreSQL itself.
 */
describe('planning', () => {
  let postgres: CountingPostgres
  let server: TestServer
  let app: RelyingParty
  let account: { email: string }
  let resource: string
  const stack = new AsyncDisposableStack()

  beforeAll(async () => {
    postgres = stack.use(await startCountingPostgres())
    const database = await openDatabase({ url: postgres.url, pool: 2 })
    await database.migrate()
    await database[Symbol.asyncDispose]()
    server = stack.use(await startServer({ database: postgres }))
    resource = (await createResource(server)).identifier
    app = await relyingParty(server, { firstParty: true })
    account = await createAccount(server)
    await server.context.worker[Symbol.asyncDispose]()
    // One that was closed for being idle, and is opened again, would plan once more.
    server.context.database.pool.options.idleTimeoutMillis = 0
  })
  afterAll(() => stack.disposeAsync())

  /** Statements that are still planned when all of it has been done again and again. */
  async function plannedBy(request: () => Promise<void>): Promise<string[]> {
    let planned: string[] = []
    for (let block = 0; block < BLOCKS; block += 1) {
      await postgres.reset()
      for (let time = 0; time < TIMES; time += 1) await request()
      await server.context.audit.flush()
      const figures = await postgres.figures()
      expect(figures.reduce((calls, each) => calls + each.calls, 0)).toBeGreaterThan(TIMES)
      planned = figures
        .filter(({ query, plans }) => plans > 0 && query !== HEARTBEAT)
        .map(({ query, plans }) => `${plans} x ${query.trim().replace(/\s+/g, ' ').slice(0, 200)}`)
      if (planned.length === 0) break
    }
    return planned
  }

  const authorizationUrl = (): URL => app.authorizationUrl({ scope: 'openid email' })

  async function signIn(browser: Browser): Promise<URL> {
    await browser.visit(authorizationUrl())
    const page = await browser.submit('/login', { username: account.email, password: PASSWORD })
    return page.url
  }

  it('G25 a sign-in from a known browser, with its code, is planned once and never again', async () => {
    const browser = new Browser(server.origin)
    expect(
      await plannedBy(async () => {
        browser.jar.delete('gatehouse_session')
        await app.redeem(await signIn(browser))
      }),
    ).toEqual([])
  })

  it('G25 so is a flow within a session, with its code, userinfo and introspection', async () => {
    const browser = new Browser(server.origin)
    await signIn(browser)
    expect(
      await plannedBy(async () => {
        const { access_token: token } = await app.redeem(
          (await browser.visit(authorizationUrl())).url,
        )
        await app.userinfo(token)
        await app.introspect(token)
      }),
    ).toEqual([])
  })

  it('G25 looks the account up once a request, in a flow within a session', async () => {
    const browser = new Browser(server.origin)
    await signIn(browser)
    const authorized = await trace(() => browser.visit(authorizationUrl()))
    const redeemed = await trace(() => app.redeem(authorized.result.url))
    for (const { commands } of [authorized, redeemed])
      expect(commands.filter((name) => name === 'account-find-active')).toHaveLength(1)
  })

  it('G25 so is a refresh, for userinfo and for an API', async () => {
    const browser = new Browser(server.origin)
    await signIn(browser)
    for (const parameters of [{}, { scope: 'openid read', resource }]) {
      const url = app.authorizationUrl(parameters)
      let { refresh_token: token = '' } = await app.redeem((await browser.visit(url)).url)
      expect(
        await plannedBy(async () => {
          token = (await app.refresh(token)).refresh_token ?? ''
        }),
      ).toEqual([])
    }
  })

  it('G25 so is a sign-in by API', async () => {
    expect(
      await plannedBy(async () => {
        const { status } = await send(`${server.origin}/api/auth/sign-in/email`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ email: account.email, password: PASSWORD }),
        })
        expect(status).toBe(200)
      }),
    ).toEqual([])
  })
})
