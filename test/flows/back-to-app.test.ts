import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount, createClient, PASSWORD } from '../support/factories.ts'
import { entriesOf } from '../support/forms.ts'
import { enableMfa, enter, signedIn } from '../support/people.ts'
import { authorizationUrl } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

type Change = Readonly<Record<string, string>>

/** A browser on the way to an app, at the step that the walk leads to. */
async function onTheWay(
  walk: (browser: Browser, account: Awaited<ReturnType<typeof createAccount>>) => Promise<unknown>,
  { change = {}, requireMfa = false }: { change?: Change; requireMfa?: boolean } = {},
) {
  const client = await createClient(server, { requireMfa })
  const account = await createAccount(server)
  const browser = new Browser(server.origin)
  await browser.visit(authorizationUrl(server, client.clientId, change))
  await walk(browser, account)
  return { browser, account, client }
}
const answerOf = (page: Page) => ({
  step: page.step,
  ...Object.fromEntries(page.url.searchParams),
})
const sessionsOf = (id: string) => server.context.sessions.list(id)

describe('Back to the app, without an answer', () => {
  it.each([
    ['login', async () => undefined, {}],
    [
      'sign-up',
      (browser: Browser) => browser.follow(`${browser.page.url.pathname}/sign-up`),
      { change: { prompt: 'create' } },
    ],
    [
      'verify-email',
      (browser: Browser) =>
        browser.submit('/sign-up', { name: 'Grace', email: 'g@example.org', password: PASSWORD }),
      { change: { prompt: 'create' } },
    ],
    [
      'mfa',
      async (browser: Browser, account: Parameters<typeof enter>[1] & { id: string }) => {
        await enableMfa(server, account)
        await enter(browser, account)
      },
      {},
    ],
    [
      'mfa-enrol',
      (browser: Browser, account: Parameters<typeof enter>[1]) => enter(browser, account),
      { requireMfa: true },
    ],
  ] as const)(
    'from %s: access_denied with state and iss, nobody is signed in, and the sign-in is over',
    async (step, walk, options) => {
      const { browser, account } = await onTheWay(walk, options)
      const page = browser.page
      expect([page.step, page.words]).toEqual([
        step,
        expect.stringContaining('Back to Plant Diary'),
      ])
      const back = await browser.submit('/leave')
      expect(answerOf(back)).toMatchObject({
        step: 'app',
        error: 'access_denied',
        state: 'the-state',
        iss: server.origin,
      })
      expect(back.url.origin + back.url.pathname).toBe('https://client.example/callback')
      expect(await sessionsOf(account.id)).toEqual([])
      expect((await browser.visit(page.url)).status).toBe(400)
    },
  )

  it('from the choice of an account and from a step-up: who is signed in stays so', async () => {
    const { browser, account } = await signedIn(server)
    const { clientId } = await createClient(server, { firstParty: true })
    for (const change of [{ prompt: 'select_account' }, { prompt: 'login' }]) {
      await browser.visit(authorizationUrl(server, clientId, change))
      expect(answerOf(await browser.submit('/leave'))).toMatchObject({ error: 'access_denied' })
    }
    expect(await sessionsOf(account.id)).toHaveLength(1)
    const silent = await browser.visit(authorizationUrl(server, clientId, { prompt: 'none' }))
    expect(silent.url.searchParams.has('code')).toBe(true)
  })

  it('TF-10 from the set-up of a second factor that the request demands: it was not met', async () => {
    const { browser } = await onTheWay((at, account) => enter(at, account), {
      change: { acr_values: 'urn:gatehouse:acr:2fa' },
    })
    expect(answerOf(await browser.submit('/leave'))).toMatchObject({
      error: 'unmet_authentication_requirements',
      state: 'the-state',
    })
  })

  it('answers as the request asks to be answered: by a form', async () => {
    const { browser } = await onTheWay(async () => undefined, {
      change: { response_mode: 'form_post' },
    })
    const page = await browser.submit('/leave')
    const [form] = page.forms
    if (!form) throw new Error('no form')
    expect(form.action.href).toBe('https://client.example/callback')
    expect(Object.fromEntries(entriesOf(form, {}).entries)).toMatchObject({
      error: 'access_denied',
      state: 'the-state',
      iss: server.origin,
    })
  })

  it('AZ-01 goes nowhere but where the request was proven to lead, whatever its own address says', async () => {
    const { browser } = await onTheWay(async () => undefined)
    const form = browser.page.form('/leave')
    const action = new URL(form.action)
    action.search = '?redirect_uri=https://evil.example/&return_to=https://evil.example/'
    const { entries } = entriesOf(form, {})
    const body = new URLSearchParams([...entries, ['redirect_uri', 'https://evil.example/']])
    const back = await browser.post(action, body.toString())
    expect(back.url.origin).toBe('https://client.example')
  })

  it('SE-11 SE-12 belongs to the browser that began, with its form: nobody else can end it', async () => {
    const { browser, account } = await onTheWay(async () => undefined)
    const { action } = browser.page.form('/leave')
    const forged = await browser
      .copy()
      .post(action, '', { headers: { origin: 'https://evil.example' } })
    expect([forged.status, forged.isForeign]).toEqual([403, false])
    expect((await browser.copy().post(action, '_csrf=x')).isForeign).toBe(false)
    const thief = new Browser(server.origin)
    await thief.visit('/login')
    const { entries } = entriesOf(thief.page.form('/login'), {})
    const stolen = await thief.post(action, new URLSearchParams(entries).toString())
    expect([stolen.status, stolen.isForeign]).toEqual([400, false])
    expect((await enter(browser, account)).step).toBe('consent')
  })

  it('is not offered where there is no app: our own pages are nobody’s', async () => {
    const page = await new Browser(server.origin).visit('/account')
    expect([page.step, page.words.includes('Back to')]).toEqual(['login', false])
  })
})
