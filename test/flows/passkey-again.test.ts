import { describe, expect, it } from '@jest/globals'
import { PasskeyCredential, Session } from '../../src/entities/index.ts'
import { chromium } from '../support/chromium.ts'
import { createAccount } from '../support/factories.ts'
import { signInByPasskey, visitor as visit } from '../support/passkey-pages.ts'
import { age } from '../support/people.ts'
import { useServer } from '../support/use-server.ts'
import { givePasskey } from '../support/virtual-authenticator.ts'

const browser = chromium()
const server = useServer()

/** Somebody who has signed in by passkey, too long ago for what is sensitive. */
async function visitor() {
  const { page, person } = await visit(server, browser)
  await givePasskey(server, page, person)
  await signInByPasskey(server, page)
  await age(server, person.id, 700)
  return { page, person }
}

describe('confirming who one is with a passkey, in Chromium', () => {
  it('SE-10 UX-36 asks for one of the own passkeys, and goes on where the person was', async () => {
    const { page, person } = await visitor()
    await page.goto(`${server.origin}/account/email`)
    expect(await page.locator('h1').innerText()).toBe('Confirm it is you')
    const { allowCredentials } = JSON.parse(
      (await page.getAttribute('form[data-passkey]', 'data-passkey')) ?? '',
    ) as { allowCredentials: unknown[] }
    expect(allowCredentials).toHaveLength(1)
    await page.click('#passkey')
    await page.waitForURL('**/account/email')
    expect(await server.context.database.em.fork().count(Session, { account: person.id })).toBe(1)
  })

  it("SE-10 PK-04 refuses another account's passkey there", async () => {
    const { page, person } = await visitor()
    const other = await createAccount(server)
    const id = await givePasskey(server, page, other)
    const { credentialId } = await server.context.database.em
      .fork()
      .findOneOrFail(PasskeyCredential, { id })
    await page.goto(`${server.origin}/account/email`)
    await page.evaluate(
      `document.querySelector('form[data-passkey]').dataset.passkey =
        document.querySelector('form[data-passkey]').dataset.passkey.replace(/"id":"[^"]+"/, '"id":"${Buffer.from(credentialId).toString('base64url')}"')`,
    )
    await page.click('#passkey')
    await page.waitForSelector('.summary')
    expect(await page.locator('h1').innerText()).toBe('Confirm it is you')
    const em = server.context.database.em.fork()
    expect(await em.count(Session, { account: other.id })).toBe(0)
    expect(await em.count(Session, { account: person.id })).toBe(1)
    await page.click('#passkey')
    await page.waitForURL('**/account/email')
  })

  it('SE-10 offers none to somebody who has none', async () => {
    const { page, person } = await visitor()
    await server.context.database.em.fork().nativeDelete(PasskeyCredential, { account: person.id })
    await page.goto(`${server.origin}/account/email`)
    expect(await page.locator('#passkey').count()).toBe(0)
    expect(await page.locator('main').innerText()).toContain('Enter your password to go on.')
  })
})
