import { describe, expect, it } from '@jest/globals'
import { CAPS } from '../../src/config/limits.ts'
import { startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { ORIGIN } from '../support/people.ts'
import { proveMailbox } from '../support/recovering.ts'
import type { TestServer } from '../support/server.ts'

const PERSON = { name: 'Ada King', email: 'ada.king@example.org' }
const NEW_PASSWORD = 'twelve quiet otters sail home'

/** An account that the operator made, and the way in that its owner was mailed. */
async function created(server: TestServer, path: string) {
  const { account } = await server.context.accountCreation.create(PERSON)
  const link = await server.inbox.link(PERSON.email, path)
  return { account, link, browser: new Browser(server.origin) }
}

describe('an account that the operator makes', () => {
  it('is opened by a password of its own, however many mails were asked for before', async () => {
    await using server = await startApi()
    for (let mails = 0; mails < CAPS.mailsPerHourTogether; mails += 1) {
      const origin = { ...ORIGIN, ip: `198.51.100.${mails}` }
      await server.context.passwordReset.request(PERSON.email, origin)
    }
    const { link, browser } = await created(server, '/reset-password')
    await browser.visit(link)
    await browser.submit('/reset-password', { password: NEW_PASSWORD })
    await browser.visit('/login')
    const page = await browser.submit('/login', { username: PERSON.email, password: NEW_PASSWORD })
    expect(page.url.pathname).toBe('/account')
  })

  it('is opened by a code where nobody signs in by a password', async () => {
    await using server = await startApi({ signIn: { methods: ['passkey', 'email-code'] } })
    const { link, browser } = await created(server, '/login')
    expect([link.search, (await browser.visit(link)).h1]).toEqual(['', 'Sign in'])
  })

  it('is opened by a passkey, made at the recovery, where nothing else opens one', async () => {
    await using server = await startApi({ signIn: { methods: ['passkey'] } })
    const { link, browser } = await created(server, '/recover')
    expect(link.search).toBe('')
    expect((await browser.visit(link)).h1).not.toBe('Sign in')
    const owner = await proveMailbox(server, PERSON.email)
    expect(owner.page.url.pathname).toBe('/recover/new')
  })
})
