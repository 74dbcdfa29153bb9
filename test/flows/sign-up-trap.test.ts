import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { CAPS } from '../../src/config/limits.ts'
import { Browser } from '../support/browser.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { takeWaiting } from '../support/slow-lane.ts'

let database: TestDatabase
/** Where only the hidden field counts, and where nobody is fast enough. */
let calm: TestServer
let strict: TestServer
beforeAll(async () => {
  database = await createDatabase()
  calm = await startServer({ database })
  strict = await startServer({ database, config: { fillSeconds: 600 } })
})
afterAll(async () => {
  await calm.stop()
  await strict.stop()
  await database.drop()
})

let made = 0
const someone = () => `trap.${++made}@example.org`
const wanted = (email: string) => ({ name: 'Grace Hopper', email, password: PASSWORD })

async function signUp(server: TestServer, email: string, more: Record<string, string> = {}) {
  const browser = new Browser(server.origin)
  await browser.visit('/signup')
  await browser.submit('/sign-up', { ...wanted(email), ...more })
  return browser
}

const waiting = () => takeWaiting(calm)
const forgetCap = () =>
  calm.context.database.pool.query(`delete from "attempt_counter" where "factor" = 'mail'`)

describe('a form that a program seems to have filled in', () => {
  it('AA-01 is answered like any other, and its mail comes a minute later: the hidden field', async () => {
    const [email, other] = [someone(), someone()]
    const person = await signUp(calm, email)
    const program = await signUp(calm, other, { website: 'https://spam.example' })
    expect(program.page.status).toBe(person.page.status)
    expect(program.page.words.replaceAll(other, email)).toBe(person.page.words)
    expect(await waiting()).toBe(1)
    await calm.inbox.code(email)
    expect(await calm.inbox.mails(other)).toEqual([])
  })

  it('AA-01 so is one that was sent too soon, without its moment, or with a forged or foreign one', async () => {
    await signUp(strict, someone())
    for (const shown of ['', 'x'.repeat(48)]) await signUp(strict, someone(), { shown })
    const other = new Browser(strict.origin)
    const foreign = (await other.visit('/signup')).form('/sign-up')
    const shown = foreign.fields.find(({ name }) => name === 'shown')?.value ?? ''
    expect(shown).toHaveLength(48)
    await signUp(strict, someone(), { shown })
    expect(await waiting()).toBe(4)
  })

  it('gets no faster mail by asking again', async () => {
    const browser = await signUp(calm, someone(), { website: 'x' })
    await browser.submit('/resend')
    expect(await waiting()).toBe(2)
  })

  it('EN-01 is answered alike for an address that has an account', async () => {
    const { email } = await createAccount(calm)
    const browser = await signUp(calm, email, { website: 'x' })
    expect(browser.page.url.pathname).toMatch(/verify-email$/)
    expect(await waiting()).toBe(1)
    expect(await calm.inbox.mails(email)).toEqual([])
  })

  it('AA-01 stops no person: the code that comes later is good', async () => {
    const email = someone()
    const browser = await signUp(calm, email, { website: 'filled in by a password manager' })
    await calm.context.database.pool.query('update "outbox_message" set "available_at" = now()')
    const page = await browser.submit('/verify-email', { code: await calm.inbox.code(email) })
    expect([page.status, page.url.pathname]).toEqual([200, '/account'])
  })

  it('AA-01 has thirty mails an hour of the whole server, and takes none of those of people', async () => {
    await forgetCap()
    const { signUp: useCase } = calm.context
    const origin = { ip: '192.0.2.1', userAgent: '', requestId: 'test' }
    const begin = (isSuspected: boolean) =>
      useCase.start({ ...wanted(someone()), isSuspected }, origin)
    for (let count = 0; count < CAPS.mailsPerHourSuspected + 3; count += 1) await begin(true)
    expect(await waiting()).toBe(CAPS.mailsPerHourSuspected)
    const email = someone()
    await signUp(calm, email)
    await calm.inbox.code(email)
  })
})

describe('the form', () => {
  it('keeps the moment when it was first shown, and hides its field from everybody', async () => {
    const browser = new Browser(strict.origin)
    await browser.visit('/signup')
    const shown = () =>
      browser.page.form('/sign-up').fields.find(({ name }) => name === 'shown')?.value
    const first = shown()
    await browser.submit('/sign-up', { ...wanted('nobody'), name: '' })
    expect([browser.page.status, shown()]).toEqual([400, first])
    expect(browser.page.text).toMatch(/<p hidden>.*name="website" autocomplete="off" tabindex="-1"/)
  })
})
