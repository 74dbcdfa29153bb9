import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { PasskeyCredential, Session, TotpCredential } from '../../src/entities/index.ts'
import { chromium } from '../support/chromium.ts'
import { createAccount } from '../support/factories.ts'
import { typePassword, visitor as visit } from '../support/passkey-pages.ts'
import { type Account, enableMfa } from '../support/people.ts'
import { useServer } from '../support/use-server.ts'
import { givePasskey } from '../support/virtual-authenticator.ts'

const browser = chromium()
const server = useServer()

const em = () => server.context.database.em.fork()

/** Somebody with a passkey in this browser. */
async function visitor() {
  const { page, person } = await visit(server, browser)
  return { page, person, passkey: await givePasskey(server, page, person) }
}

async function enterPassword(page: Page, person: Account): Promise<void> {
  await page.goto(`${server.origin}/account`)
  await typePassword(page, person)
  await page.click('#sign-in')
  await page.waitForURL(/\/mfa$/)
}

describe('a passkey as the second step, in Chromium', () => {
  it('TF-10 is asked for after the password, and tokens say that it was shown', async () => {
    const { page, person } = await visitor()
    await enterPassword(page, person)
    expect(await page.locator('#code').count()).toBe(0)
    await page.check('#remember')
    await page.click('#passkey')
    await page.waitForURL('**/account')
    expect(await em().findOneOrFail(Session, { account: person.id })).toMatchObject({
      amr: ['pwd', 'pop', 'user', 'mfa'],
      acr: 'urn:gatehouse:acr:2fa',
      isRemembered: true,
    })
  })

  it('TF-07 is offered beside the code of an app; what was used last comes first', async () => {
    const { page, person, passkey } = await visitor()
    const authenticator = await enableMfa(server, person)
    await em().nativeUpdate(PasskeyCredential, { id: passkey }, { lastUsedAt: new Date() })
    await enterPassword(page, person)
    expect(await page.locator('#code').count()).toBe(0)
    await page.getByText('Use the authenticator app').click()
    expect(await page.locator('#passkey').isVisible()).toBe(true)
    await page.fill('#code', await authenticator.code())
    await page.click('button.primary')
    await page.waitForURL('**/account')

    await page.context().clearCookies()
    await em().nativeUpdate(PasskeyCredential, { id: passkey }, { lastUsedAt: new Date(0) })
    expect(await em().count(TotpCredential, { account: person.id })).toBe(1)
    await enterPassword(page, person)
    expect(await page.locator('#code').isVisible()).toBe(true)
    await page.click('#passkey')
    await page.waitForURL('**/account')
  })

  it('TF-09 leads to a recovery code without script, and where the key is lost', async () => {
    const { person } = await visitor()
    const page = await browser.newPage({ javaScriptEnabled: false })
    await enterPassword(page, person)
    expect(await page.locator('#passkey').isVisible()).toBe(false)
    await page.getByText('Use a recovery code').click()
    expect(await page.locator('#code').isVisible()).toBe(true)
  })

  it("PK-04 refuses another account's passkey, and the page may be tried again", async () => {
    const { page, person } = await visitor()
    const other = await createAccount(server)
    const foreign = await givePasskey(server, page, other)
    const { credentialId } = await em().findOneOrFail(PasskeyCredential, { id: foreign })
    await enterPassword(page, person)
    await page.evaluate(
      `(({ dataset }) => {
        const options = JSON.parse(dataset.passkey)
        options.allowCredentials = [{ type: 'public-key', id: '${Buffer.from(credentialId).toString('base64url')}' }]
        dataset.passkey = JSON.stringify(options)
      })(document.querySelector('form[data-passkey]'))`,
    )
    await page.click('#passkey')
    await page.waitForSelector('.summary')
    expect(await em().count(Session, { account: person.id })).toBe(0)
    await page.click('#passkey')
    await page.waitForURL('**/account')
  })
})
