import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { PasskeyCredential, Session } from '../../src/entities/index.ts'
import { chromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, type NewAccount, PASSWORD } from '../support/factories.ts'
import { csrfOf } from '../support/forms.ts'
import {
  createPasskey,
  keepCodes,
  pressCreate,
  signInByPasskey,
  signInByPassword,
  visitor as visit,
} from '../support/passkey-pages.ts'
import { type Account, age, signedIn } from '../support/people.ts'
import { useServer } from '../support/use-server.ts'
import { givePasskey } from '../support/virtual-authenticator.ts'

const browser = chromium()
const server = useServer()

const em = () => server.context.database.em.fork()
const passkeysOf = ({ id }: Account) => em().find(PasskeyCredential, { account: id })

const visitor = (account: NewAccount = {}) => visit(server, browser, { account, isSynced: true })

async function enter(page: Page, person: Account): Promise<void> {
  await signInByPassword(page, person, `${server.origin}/account`)
  await page.getByRole('button', { name: 'Not now' }).click()
  await page.waitForURL('**/account')
}

describe('passkeys in the account area, in Chromium', () => {
  it('UX-21 UX-24 adds the first one with recovery codes, tells the owner, and keeps everybody signed in', async () => {
    const { page, person } = await visitor()
    const elsewhere = await signedIn(server, { account: person })
    await enter(page, person)
    await page.click('a[href="/account/passkeys"]')
    expect(await page.locator('main').innerText()).toContain('You have no passkey yet.')
    await page.getByText('Add a passkey').click()
    await createPasskey(page)
    expect(await page.locator('#codes li').count()).toBe(10)
    const [made] = await passkeysOf(person)
    expect(made).toMatchObject({
      rpId: 'localhost',
      isDiscoverable: true,
      hasVerified: true,
      isBackedUp: true,
    })
    await keepCodes(page)
    expect(await page.locator('#security').innerText()).toContain('1 passkey')
    await page.goto(`${server.origin}/account/passkeys`)
    const item = await page.locator('.items li').innerText()
    expect(item).toContain('Synced')
    expect(item).toContain('Not used yet')
    // This session has shown it; the other one goes on as it was.
    expect(await em().count(Session, { account: person.id })).toBe(2)
    expect((await elsewhere.browser.visit('/account')).status).toBe(200)
    await server.inbox.find(person.email, ({ subject }) =>
      subject.startsWith('A passkey was added'),
    )
  })

  it('UX-21 makes no second one on the same device, and says so', async () => {
    const { page, person } = await visitor()
    await givePasskey(server, page, person)
    await signInByPasskey(server, page)
    await page.goto(`${server.origin}/account/passkeys/new`)
    await pressCreate(page)
    await page.getByText('This device already has a passkey for your account.').waitFor()
    await expect(passkeysOf(person)).resolves.toHaveLength(1)
  })

  it('UX-21 says what is needed where the device has no lock', async () => {
    const { page, person, authenticator } = await visitor()
    await enter(page, person)
    await authenticator.setVerified(false)
    await page.goto(`${server.origin}/account/passkeys/new`)
    await pressCreate(page)
    await page.getByText('No passkey was made.').waitFor()
    await expect(passkeysOf(person)).resolves.toEqual([])
  })

  it('UX-21 renames, by keyboard alone', async () => {
    const { page, person } = await visitor()
    await givePasskey(server, page, person)
    await signInByPasskey(server, page)
    await page.goto(`${server.origin}/account/passkeys`)
    await page.focus('main summary')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Control+A')
    await page.keyboard.type('Blue laptop')
    await page.keyboard.press('Enter')
    await page.getByText('Saved.').waitFor()
    expect((await passkeysOf(person))[0]?.name).toBe('Blue laptop')
    await page.locator('main summary').click()
    await page.fill('.items input[name=name]', 'x'.repeat(61))
    await page.evaluate(`document.querySelector('.items input[name=name]').value = 'x'.repeat(61)`)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.waitForSelector('.summary')
    expect(await page.locator('main').innerText()).toContain('Use fewer characters.')
  })

  it('UX-21 PK-06 removes one, and what keeps it offers it no more', async () => {
    const { page, person, authenticator } = await visitor()
    await givePasskey(server, page, person)
    await signInByPasskey(server, page)
    await page.goto(`${server.origin}/account/passkeys`)
    await page.locator('.items button.link').click()
    await page.getByText('The passkey is removed.').waitFor()
    await expect(passkeysOf(person)).resolves.toEqual([])
    await eventually(async () => (await authenticator.passkeys()).length, 0)
  })

  it('PW-09 the password is changed by who came by a passkey, with a mailed code', async () => {
    const { page, person } = await visitor()
    await givePasskey(server, page, person)
    await signInByPasskey(server, page)
    await page.goto(`${server.origin}/account/password`)
    await page.fill('input[name=current_password]', PASSWORD)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL('**/account/password/confirm')
    await page.fill('input[name=code]', await server.inbox.code(person.email))
    await page.fill('input[name=password]', 'ember quilt nine lantern')
    await page.locator('main form button.primary').click()
    await page.getByText('Your password is changed.').waitFor()
  })

  it('PK-08 keeps the last way in, and says why', async () => {
    const { page, person } = await visitor({ password: null })
    await givePasskey(server, page, person)
    await signInByPasskey(server, page)
    await page.goto(`${server.origin}/account/passkeys`)
    await page.locator('.items button.link').click()
    await page.waitForSelector('.summary')
    expect(await page.locator('.summary').innerText()).toContain('last way')
    await expect(passkeysOf(person)).resolves.toHaveLength(1)
  })

  it('PK-06 asks again after ten minutes, at the level of the account, and comes back to the list', async () => {
    const { page, person } = await visitor()
    await givePasskey(server, page, person)
    await signInByPasskey(server, page)
    await page.goto(`${server.origin}/account/passkeys`)
    await age(server, person.id, 700)
    await page.locator('.items button.link').click()
    await page.getByText('Confirm it is you').first().waitFor()
    await expect(passkeysOf(person)).resolves.toHaveLength(1)
  })

  it("IN-05 knows nothing of another account's", async () => {
    const { page, person } = await visitor()
    const other = await createAccount(server)
    const foreign = await givePasskey(server, page, other)
    await givePasskey(server, page, person)
    const { browser: own } = await signedIn(server, { account: await createAccount(server) })
    const page2 = await own.visit('/account/passkeys')
    const csrf = csrfOf(page2.forms[0])
    for (const action of ['rename', 'remove']) {
      const answer = await own.post(`/account/passkeys/${foreign}/${action}`, {
        _csrf: csrf,
        name: 'mine',
      })
      expect(answer.status).toBe(404)
    }
    await expect(passkeysOf(other)).resolves.toHaveLength(1)
  })

  it('UX-16 says that making one takes script, without it', async () => {
    const { browser: plain } = await signedIn(server)
    const page = await plain.visit('/account/passkeys/new')
    expect(page.words).toContain('JavaScript is off')
  })
})
