import { describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey } from '../support/passkeys.ts'
import { enableMfa, signedIn } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const ALL = ['password', 'passkey', 'email-code'] as const

/** What the account's front page says of each way to sign in, without what the row can do. */
function rowsOf(text: string): Record<string, string> {
  const rows = text.matchAll(/<div><dt>(.*?)<\/dt><dd>(.*?)<\/dd>/gs)
  const plain = (html = '') => html.replace(/<[^>]+>/g, '').trim()
  return Object.fromEntries([...rows].map(([, name, state]) => [plain(name), plain(state)]))
}

/** By a mailed code. */
async function entered(server: TestServer, email: string): Promise<Browser> {
  const browser = new Browser(server.origin)
  await browser.visit('/account')
  await browser.submit('/send-code', { username: email })
  await browser.submit('/email-code', { code: await server.inbox.code(email) })
  return browser
}

describe('the ways in of a person, on one page', () => {
  it('all of them with their state, and each leads to a page', async () => {
    await using server = await startServer({ signIn: { methods: ALL, trustedDeviceDays: 30 } })
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    await givePasskey(server, account)
    const { browser } = await signedIn(server, { account, authenticator })
    await browser.visit('/account')
    expect(rowsOf(browser.page.text)).toMatchObject({
      Password: expect.stringMatching(/^Changed /),
      'Code by mail': 'On',
      Passkeys: '1 passkey',
      'Two-step sign-in': 'On',
      'Recovery codes': '10 left',
      'Trusted devices': '–',
    })
    for (const link of browser.page.links.filter(({ pathname }) => pathname.startsWith('/account')))
      if (link.pathname !== '/account/export')
        expect([link.pathname, (await browser.copy().visit(link)).status]).toEqual([
          link.pathname,
          200,
        ])
  })

  it('an account without a password is shown what it has, and no form for one', async () => {
    await using server = await startServer({
      signIn: { methods: ['email-code'], secondFactors: [] },
    })
    const account = await createAccount(server, { password: null })
    const browser = await entered(server, account.email)
    const rows = rowsOf(browser.page.text)
    expect(rows['Code by mail']).toBe('On')
    for (const absent of ['Password', 'Passkeys', 'Two-step sign-in'])
      expect(Object.keys(rows)).not.toContain(absent)
    for (const path of ['/account/password', '/account/password/confirm']) {
      const page = await browser.visit(path)
      expect([page.url.pathname, page.text.includes('type="password"')]).toEqual([
        '/account',
        false,
      ])
    }
  })

  it('says what is stored and not offered, and what would be', async () => {
    await using server = await startServer({ signIn: { methods: ['email-code', 'passkey'] } })
    const account = await createAccount(server)
    const browser = await entered(server, account.email)
    expect(rowsOf(browser.page.text)).toMatchObject({
      Password: 'Not in use here',
      'Code by mail': 'On',
      Passkeys: expect.stringMatching(/^None/),
      'Two-step sign-in': 'Off',
    })
    expect(browser.page.links.map(({ pathname }) => pathname)).not.toContain('/account/password')
    await givePasskey(server, account)
    expect(rowsOf((await browser.visit('/account')).text)['Code by mail']).toMatch(/^Off/)
  })
})
