import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { enter, signedIn } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { sourcesOf } from '../support/sources.ts'

const ID = '00000000-0000-7000-8000-000000000000'

/** Every address of the pages that takes a form, as the routers have it. */
function formsOf(): string[] {
  const pages = sourcesOf('src/http/**/*.ts').filter(({ path }) => !/\/(api|dev)\//.test(path))
  return pages.flatMap(({ code }) => {
    const [, prefix = ''] = /new Router\(\{ prefix: '([^']+)' \}\)/.exec(code) ?? []
    const own = [...code.matchAll(/router\.post\(\s*'([^']+)'/g)]
    return own.map(([, path = '']) => prefix + path)
  })
}
/** Programs post here, and nobody comes by a page. */
const OF_PROGRAMS = ['/upstream/:provider/callback', '/upstream/:provider/backchannel-logout']

describe('an address that takes a form is opened', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it('UX-14 by everybody, and leads to a page, each of them', async () => {
    const { browser: owner } = await signedIn(server)
    await owner.visit('/account')
    const forms = formsOf().filter((path) => !OF_PROGRAMS.includes(path))
    expect(forms.length).toBeGreaterThan(40)
    for (const path of forms) {
      if (path.startsWith('/interaction')) continue
      const page = await owner.copy().visit(path.replace(':id', ID).replace(':provider', 'google'))
      // Without its secret the address of a mailed link is one that leads nowhere any more.
      const isShown = page.status === 200 || page.status === 400
      expect([path, page.status, isShown && page.h1 !== undefined]).toEqual([
        path,
        page.status,
        true,
      ])
    }
  })

  it('UX-14 on the way of a sign-in, and leads to the step that is due', async () => {
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    const { pathname } = browser.page.form('/login').action
    const forms = formsOf().filter((path) => path.startsWith('/interaction'))
    expect(forms.length).toBeGreaterThan(5)
    for (const path of forms) {
      const own = path.replace('/interaction/:uid', pathname.replace('/login', ''))
      const page = await browser.visit(own.replace(':provider', 'google'))
      expect([path, page.status, page.step]).toEqual([path, 200, 'login'])
    }
  })

  it('UX-36 and after a session that was over it leads back to the page that has the form', async () => {
    const account = await createAccount(server)
    const homes = {
      '/account/recovery/stop': '/account',
      '/account/sessions/end': '/account/sessions',
      [`/account/passkeys/${ID}/rename`]: '/account/passkeys',
      [`/account/passkeys/${ID}/confirm`]: '/account/passkeys',
      '/account/connections/google/connect': '/account/connections',
      '/account/email/confirm/resend': '/account/email',
      '/account/mfa/start': '/account/mfa',
    }
    for (const [form, home] of Object.entries(homes)) {
      const { browser } = await signedIn(server, { account })
      const csrf = browser.page
        .form('/account/sign-out')
        .fields.find(({ name }) => name === '_csrf')
      await server.context.sessions.endAll(account.id)
      await browser.post(form, { _csrf: csrf?.value ?? '' })
      expect([form, browser.page.h1]).toEqual([form, 'Sign in'])
      await enter(browser, account)
      expect([form, browser.page.status, browser.page.url.pathname]).toEqual([form, 200, home])
    }
  })
})
