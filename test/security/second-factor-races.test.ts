import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Cluster, startCluster } from '../support/balancer.ts'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { enableMfa, enter } from '../support/people.ts'

const PARALLEL = 50

/** Two instances on one database: what one of them accepts, the other must know at once. */
describe('codes that many use at the same moment, over two instances', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster(2, { config: { trustedProxyHops: 1 } })
  })
  afterAll(() => cluster.stop())
  const server = () => {
    const [first] = cluster.instances
    if (!first) throw new Error('no instance')
    return { origin: cluster.origin, context: first.context }
  }

  async function crowd(
    account: { email: string; password: string },
    size = PARALLEL,
  ): Promise<Browser[]> {
    const browsers = Array.from(
      { length: size },
      (_, index) =>
        new Browser(cluster.origin, { headers: { 'x-forwarded-for': `10.1.0.${index}` } }),
    )
    for (const browser of browsers) {
      await browser.visit('/account')
      expect((await enter(browser, account)).url.pathname).toMatch(/\/mfa$/)
    }
    return browsers
  }
  const isIn = ({ url }: Page) => url.pathname === '/account'
  const isRefused = ({ status }: Page) => status === 400 || status === 429

  async function judge(answers: readonly Page[], accountId: string): Promise<void> {
    expect(answers.filter(isIn)).toHaveLength(1)
    expect(answers.filter(isRefused)).toHaveLength(answers.length - 1)
    expect(await server().context.sessions.list(accountId)).toHaveLength(1)
  }

  it('TF-03 one time step signs in exactly once', async () => {
    const account = await createAccount(server())
    const authenticator = await enableMfa(server(), account)
    const browsers = await crowd(account)
    const code = await authenticator.code()
    await judge(
      await Promise.all(browsers.map((browser) => browser.submit('/mfa', { code }))),
      account.id,
    )
  }, 60_000)

  it('TF-09 one recovery code signs in exactly once', async () => {
    const account = await createAccount(server())
    const { recoveryCodes } = await enableMfa(server(), account)
    const browsers = await crowd(account)
    await judge(
      await Promise.all(
        browsers.map((browser) => browser.submit('/mfa', { code: recoveryCodes[0] ?? '' })),
      ),
      account.id,
    )
    expect(await server().context.recoveryCodes.left(account.id)).toBe(9)
  }, 60_000)

  it('two different right codes for one challenge make one session', async () => {
    const account = await createAccount(server())
    const { recoveryCodes, code } = await enableMfa(server(), account)
    const [browser] = await crowd(account, 1)
    if (!browser) throw new Error('no browser')
    const codes = [await code(), recoveryCodes[0] ?? '']
    const answers = await Promise.all(
      codes.map((each) => browser.copy().post(browser.page.url, bodyOf(browser.page, each))),
    )
    expect(answers.filter(isIn).length).toBeLessThanOrEqual(1)
    expect((await server().context.sessions.list(account.id)).length).toBeLessThanOrEqual(1)
    expect(answers.every(({ status }) => status < 500)).toBe(true)
  })

  it('UX-15 a double submit of the code step is no error of ours', async () => {
    const account = await createAccount(server())
    const { code } = await enableMfa(server(), account)
    const [browser] = await crowd(account, 1)
    if (!browser) throw new Error('no browser')
    const body = bodyOf(browser.page, await code())
    const answers = await Promise.all(
      [1, 2, 3].map(() => browser.copy().post(browser.page.url, body)),
    )
    expect(answers.filter(isIn)).toHaveLength(1)
    expect(answers.every(({ status }) => status < 500)).toBe(true)
  })
})

function bodyOf(page: Page, code: string) {
  return { _csrf: page.form('/mfa').fields.find(({ name }) => name === '_csrf')?.value ?? '', code }
}
