import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { CAPS } from '../../src/config/limits.ts'
import { AppError } from '../../src/errors.ts'
import { Authenticator } from '../support/authenticator.ts'
import { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey } from '../support/passkeys.ts'
import { type Account, enter, ORIGIN } from '../support/people.ts'
import { openWait, recoverWith, report, resetWith } from '../support/recovering.ts'
import { startServer, type TestServer } from '../support/server.ts'

const NEW_PASSWORD = 'twelve quiet otters sail home'
const CHANGE = { origin: ORIGIN }

/** A thief has got in by the mailbox alone; the owner has the passkey still. */
describe('for a week after a recovery, the passkey that it took the place of', () => {
  let server: TestServer
  let account: Account
  let held: Awaited<ReturnType<typeof givePasskey>>
  let codes: readonly string[]
  beforeAll(async () => {
    server = await startServer()
  })
  beforeEach(async () => {
    account = await createAccount(server, { password: null })
    held = await givePasskey(server, account)
    codes = await recoverWith(server, account.id, NEW_PASSWORD)
  })
  afterAll(() => server.stop())

  /** What its owner gets for showing it: the secret of a report, or none. */
  async function lateReport(): Promise<string | undefined> {
    const { passkeys } = server.context
    const binding = 'interaction:test'
    const credential = held.authenticator.assert(passkeys.signInOptions(binding))
    const refused = await passkeys
      .proveFirst({ credential, binding }, ORIGIN)
      .catch((error: unknown) => error)
    return refused instanceof AppError ? refused.details.report : undefined
  }
  const remove = () => server.context.passkeys.remove(account.id, held.passkey.id, CHANGE)
  const pass = (days: number) =>
    server.context.database.pool.query(
      `update "passkey" set "suspended_at" = "suspended_at" - $2 * interval '1 day', "kept_until" = "kept_until" - $2 * interval '1 day' where "account_id" = $1`,
      [account.id, days],
    )

  it('is not removed, on the page that says until when neither, and reports it', async () => {
    const thief = new Browser(server.origin)
    await thief.visit('/account')
    await enter(thief, { ...account, password: NEW_PASSWORD })
    await thief.submit('/mfa', { code: codes[0] ?? '' })
    const { words, forms } = await thief.visit('/account/passkeys')
    expect(words).toContain('until then it can report a recovery that was not yours')
    expect(forms.filter(({ action }) => action.pathname.endsWith('/remove'))).toEqual([])
    await expect(remove()).rejects.toMatchObject({ code: 'conflict' })
    expect(await lateReport()).toBeDefined()
  })

  it('is not removed once it was confirmed, and signs its owner in', async () => {
    await server.context.passkeys.confirm(account.id, held.passkey.id, CHANGE)
    await expect(remove()).rejects.toMatchObject({ code: 'conflict' })
    const { passkeys } = server.context
    const binding = 'interaction:test'
    const credential = held.authenticator.assert(passkeys.signInOptions(binding))
    const proven = await passkeys.proveFirst({ credential, binding }, ORIGIN)
    expect(proven.accountId).toBe(account.id)
  })

  it('reports it after a report, a reset and a recovery of the thief, too', async () => {
    await report(server, account.id)
    await resetWith(server, account.id, NEW_PASSWORD)
    await recoverWith(server, account.id, NEW_PASSWORD)
    expect(await lateReport()).toBeDefined()
    await expect(remove()).rejects.toMatchObject({ code: 'conflict' })
  })

  it('leaves room for another, however many there were', async () => {
    const { passkeys, regaining } = server.context
    const many = await createAccount(server, { password: null })
    for (let count = 0; count < CAPS.passkeysPerAccount; count += 1) await givePasskey(server, many)
    await expect(passkeys.creationOptions(many, 'x')).rejects.toMatchObject({ code: 'conflict' })
    for (let times = 0; times < CAPS.passkeysPerAccount; times += 1) {
      const grant = await openWait(server, many.id)
      const made = new Authenticator(server.origin).register(await regaining.passkeyOptions(grant))
      await regaining.withPasskey(grant, made, ORIGIN)
    }
    const grant = await openWait(server, many.id)
    const made = new Authenticator(server.origin).register(await regaining.passkeyOptions(grant))
    const refused = { code: 'conflict' }
    await expect(regaining.withPasskey(grant, made, ORIGIN)).rejects.toMatchObject(refused)
    expect(await regaining.withPassword(grant, NEW_PASSWORD, ORIGIN)).toHaveLength(10)
  })

  it('afterwards reports nothing, and is removed', async () => {
    await pass(8)
    expect(await lateReport()).toBeUndefined()
    await remove()
    expect(await server.context.passkeys.list(account.id)).toEqual([])
  })
})
