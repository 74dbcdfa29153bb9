import { describe, expect, it } from '@jest/globals'
import { Account } from '../../src/entities/index.ts'
import { Authenticator } from '../support/authenticator.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { csrfOf } from '../support/forms.ts'
import { codeIn, linkIn } from '../support/inbox.ts'
import { givePasskey, showPasskey } from '../support/passkeys.ts'
import { enableMfa, enter, forgetStep, signedIn } from '../support/people.ts'
import { askRecovery, passHours, proveMailbox, waitForRecovery } from '../support/recovering.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { useServer } from '../support/use-server.ts'

const NEW_PASSWORD = 'twelve quiet otters sail home'
const LINK = '/recover/link'
const STOP = '/recover/stop'

/** Sets NEW_PASSWORD by the code of a mail, which may come with others. */
async function resetPassword({ context, inbox }: TestServer, email: string): Promise<void> {
  const { tokenId } = await context.passwordReset.request(email, ORIGIN)
  const code = codeIn(await inbox.find(email, ({ text }) => text.includes('/reset-password')))
  const typed = { tokenId, email, code, password: NEW_PASSWORD }
  await context.passwordReset.completeByCode(typed, ORIGIN)
}

describe('a person who has lost the way in', () => {
  const server = useServer()

  async function protectedAccount() {
    const account = await createAccount(server)
    const authenticator = await enableMfa(server, account)
    await server.inbox.next(account.email)
    return { account, authenticator }
  }

  async function events(accountId: string): Promise<string[]> {
    await server.context.audit.flush()
    const { rows } = await server.context.database.pool.query<{ type: string }>(
      `select "type" from "audit_event" where "account_id" = $1 and "type" like 'recovery\\_%' order by "seq"`,
      [accountId],
    )
    return rows.map(({ type }) => type)
  }

  async function finish(browser: Browser) {
    const page = await browser.submit('/recover/new', { password: NEW_PASSWORD })
    expect(page.h1).toBe('Your account is yours again')
    return [...page.text.matchAll(/<li>([\w-]{10,})<\/li>/g)].map(([, code = '']) => code)
  }

  it('one factor: the mailed code leads on to a new password, which ends every session and says so', async () => {
    const { browser: owner, account } = await signedIn(server)
    const browser = await proveMailbox(server, account.email)
    expect(browser.page.url.pathname).toBe('/recover/new')
    expect((await owner.visit('/account')).words).toContain(account.email)
    expect(await finish(browser)).toEqual([])
    expect((await owner.visit('/account')).h1).toBe('Sign in')
    expect((await enter(owner, account)).status).toBe(401)
    expect((await enter(owner, { ...account, password: NEW_PASSWORD })).url.pathname).toBe(
      '/account',
    )
    const { subject, text } = await server.inbox.next(account.email)
    expect(subject).toMatch(/was recovered/)
    expect(text).toContain('/report-compromise?token=')
    expect(await events(account.id)).toEqual(['recovery_started', 'recovery_completed'])
  })

  it('SE-12 UX-36 begun on the way to an app, it leads back there', async () => {
    const account = await createAccount(server)
    const app = await relyingParty(server, { firstParty: true, name: 'Plant Diary' })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid' }))
    const signIn = browser.page.form('/login').action.pathname
    await browser.visit(`/recover?interaction=${signIn.split('/')[2]}`)
    expect(browser.page.words).toContain('Plant Diary')
    await browser.submit('/recover', { email: account.email })
    await browser.submit('/recover/code', { code: await server.inbox.code(account.email) })
    expect(browser.page.words).toContain('Plant Diary')
    await browser.submit('/recover/new', { password: NEW_PASSWORD })
    expect(browser.page.links.map(({ pathname }) => pathname)).toContain(signIn)
    const other = await new Browser(server.origin).visit(
      `/recover?interaction=${signIn.split('/')[2]}`,
    )
    expect(other.words).not.toContain('Plant Diary')
  })

  it('two factors: a recovery code saves the wait; new ones are shown at once, and the old are void', async () => {
    const { account, authenticator } = await protectedAccount()
    const [code = '', other = ''] = authenticator.recoveryCodes
    const browser = await proveMailbox(server, account.email)
    expect(browser.page.url.pathname).toBe('/recover/next')
    expect((await browser.submit('/recover/next', { code: 'aaaa-aaaa-aaaa-aaaa' })).status).toBe(
      400,
    )
    await browser.submit('/recover/next', { code })
    expect(browser.page.url.pathname).toBe('/recover/new')
    const codes = await finish(browser)
    expect(codes).toHaveLength(10)

    const again = new Browser(server.origin)
    await again.visit('/account')
    await enter(again, { ...account, password: NEW_PASSWORD })
    expect((await again.submit('/mfa', { code: other })).status).toBe(400)
    expect((await again.submit('/mfa', { code: codes[0] ?? '' })).url.pathname).toBe('/account')
  })

  it('two factors and the mailbox alone: it waits where the owner sees it, then opens by the mailed link', async () => {
    const { account, authenticator } = await protectedAccount()
    const { browser: owner } = await signedIn(server, { account, authenticator })
    const thief = await waitForRecovery(server, account.email)
    expect(thief.page.h1).toBe('Now you wait')
    const begun = await server.inbox.next(account.email)
    expect([begun.subject, begun.text.includes(LINK)]).toEqual([
      'Someone is recovering your Gatehouse account',
      false,
    ])
    expect(begun.text).toContain(STOP)
    for (const path of ['/account', '/account/sessions', '/account/profile'])
      expect((await owner.visit(path)).words).toContain('Someone is recovering this account')
    expect((await thief.visit('/recover/new')).h1).not.toBe('Make a new way to sign in')

    await passHours(server, 12)
    expect((await server.inbox.next(account.email)).subject).toMatch(/still being recovered/)
    await passHours(server, 12)
    const ready = await server.inbox.next(account.email)
    expect(ready.subject).toMatch(/can be recovered now/)
    const link = new URL(/https?:\S+\/recover\/link\?token=[\w-]+/.exec(ready.text)?.[0] ?? '')

    const scanner = new Browser(server.origin)
    for (let visit = 0; visit < 5; visit += 1)
      expect((await scanner.copy().visit(link)).h1).toBe('Your account can be recovered')
    const person = new Browser(server.origin)
    await person.visit(link)
    await person.submit(LINK)
    expect(person.page.url.pathname).toBe('/recover/new')
    expect((await scanner.visit(link)).status).toBe(400)
    expect((await owner.visit('/account')).words).toContain(account.email)
    expect(await finish(person)).toHaveLength(10)
    expect((await owner.visit('/account')).h1).toBe('Sign in')
    expect((await enter(owner, account)).status).toBe(401)
    expect(await events(account.id)).toEqual(['recovery_started', 'recovery_completed'])
  })

  it('EM-04 before its time the link is closed, wherever it is taken from', async () => {
    const { account } = await protectedAccount()
    await waitForRecovery(server, account.email)
    await passHours(server, 24)
    const found = await linkTo(account.email)
    await passHours(server, -1)
    expect((await new Browser(server.origin).visit(found)).status).toBe(400)
    await passHours(server, 1)
    expect((await new Browser(server.origin).visit(found)).status).toBe(200)
  })

  it('UX-28 each of its mails stops it, by a button; for a day none begins, and a report is offered', async () => {
    const { account } = await protectedAccount()
    await waitForRecovery(server, account.email)
    const stop = await server.inbox.link(account.email, STOP)
    const owner = new Browser(server.origin)
    for (let visit = 0; visit < 3; visit += 1)
      expect((await owner.visit(stop)).h1).toBe('Stop the recovery?')
    expect(await server.context.recoveryHolds.find(account.id)).toBeDefined()
    await owner.submit(STOP)
    expect(owner.page.h1).toBe('The recovery is stopped')
    expect(await server.context.recoveryHolds.find(account.id)).toBeUndefined()

    const again = await waitForRecovery(server, account.email)
    expect(again.page.status).toBe(429)
    await passHours(server, 25)
    expect((await waitForRecovery(server, account.email)).page.h1).toBe('Now you wait')

    await owner.follow(
      owner.page.links.find(({ pathname }) => pathname === '/report-compromise') ?? '',
    )
    expect((await owner.submit('/report-compromise')).h1).toBe('Your account is safe')
    expect(await server.context.recoveryHolds.find(account.id)).toBeUndefined()
    expect(await planned(account.id)).toBe(0)
  })

  async function planned(accountId: string): Promise<number> {
    const { rows } = await server.context.database.pool.query<{ count: number }>(
      `select count(*)::int as "count" from "outbox_message" m join "verification_token" t on t."id" = m."about_id"
       where t."subject_id" = $1 and m."attempts" = 0`,
      [accountId],
    )
    return rows[0]?.count ?? -1
  }

  it('a session of the owner stops it, and so does signing in by what the account has', async () => {
    const { account, authenticator } = await protectedAccount()
    const { browser: owner } = await signedIn(server, { account, authenticator })
    await waitForRecovery(server, account.email)
    expect(await planned(account.id)).toBe(2)
    await owner.visit('/account')
    expect((await owner.submit('/account/recovery/stop')).h1).toBe('The recovery is stopped')
    expect(await planned(account.id)).toBe(0)
    expect((await owner.visit('/account')).words).not.toContain('Someone is recovering')

    await passHours(server, 25)
    await waitForRecovery(server, account.email)
    const at = new Browser(server.origin)
    await at.visit('/account')
    await enter(at, account)
    expect(await server.context.recoveryHolds.find(account.id)).toBeDefined()
    await forgetStep(server, account.id)
    await at.submit('/mfa', { code: await authenticator.code() })
    expect(at.page.url.pathname).toBe('/account')
    expect(at.page.words).not.toContain('Someone is recovering')
    expect(await server.context.recoveryHolds.find(account.id)).toBeUndefined()
    expect(await events(account.id)).toEqual([
      'recovery_started',
      'recovery_cancelled',
      'recovery_started',
      'recovery_cancelled',
    ])
  })

  it('a code that was phished is good in no other browser than the one that asked', async () => {
    const { account } = await protectedAccount()
    await askRecovery(server, account.email)
    const code = await server.inbox.code(account.email)
    const thief = await askRecovery(server, account.email)
    expect((await thief.submit('/recover/code', { code })).status).toBe(400)
    const own = await server.inbox.code(account.email)
    await thief.submit('/recover/resend')
    expect((await thief.submit('/recover/code', { code: own })).url.pathname).toBe('/recover/next')
  })

  it('RL-06 five tries in a page, ten wrong ones an hour over all pages of an address', async () => {
    const { email } = await createAccount(server)
    const first = await askRecovery(server, email)
    const code = await server.inbox.code(email)
    const wrong = code === '000000' ? '000001' : '000000'
    for (let tries = 0; tries < 5; tries += 1) await first.submit('/recover/code', { code: wrong })
    expect((await first.submit('/recover/code', { code })).status).toBe(400)
    const second = await askRecovery(server, email)
    const other = await server.inbox.code(email)
    const not = other === '000000' ? '000001' : '000000'
    for (let tries = 0; tries < 4; tries += 1) await second.submit('/recover/code', { code: not })
    expect((await second.submit('/recover/code', { code: other })).status).toBe(400)
  })

  it('a report wins over a recovery, whichever comes first', async () => {
    const { account, authenticator } = await protectedAccount()
    const report = await server.context.database.em.fork().transactional(async (tx) => {
      const person = await tx.findOneOrFail(Account, { id: account.id })
      return server.context.events.issueReport(tx, person)
    })
    const thief = await waitForRecovery(server, account.email)
    await passHours(server, 24)
    const link = await linkTo(account.email)
    await thief.visit(link)
    await thief.submit(LINK)
    expect(thief.page.url.pathname).toBe('/recover/new')
    await server.context.events.report(report.linkSecret)
    expect((await thief.submit('/recover/new', { password: NEW_PASSWORD })).status).toBe(400)
    expect(await server.context.recoveryCodes.left(account.id)).toBe(0)
    expect(authenticator.recoveryCodes).toHaveLength(10)

    const { account: other } = await protectedAccount()
    const person = await proveMailbox(server, other.email)
    await passHours(server, 25)
    const { linkSecret } = await server.context.database.em
      .fork()
      .transactional(async (tx) =>
        server.context.events.issueReport(tx, await tx.findOneOrFail(Account, { id: other.id })),
      )
    await person.submit('/recover/wait')
    await passHours(server, 24)
    const open = await linkTo(other.email)
    await person.visit(open)
    await person.submit(LINK)
    await finish(person)
    await server.context.events.report(linkSecret)
    await person.visit('/account')
    expect((await enter(person, { ...other, password: NEW_PASSWORD })).status).toBe(401)
  })

  async function linkTo(email: string): Promise<URL> {
    return linkIn(await server.inbox.find(email, ({ text }) => text.includes(LINK)), LINK)
  }

  it('a forgotten password does not shorten the wait, nor end it; a changed one does', async () => {
    const { account } = await protectedAccount()
    await waitForRecovery(server, account.email)
    await resetPassword(server, account.email)
    expect(await server.context.recoveryHolds.find(account.id)).toBeDefined()
    await server.context.passwords.replace(account.id, 'twelve quiet otters sail back')
    expect(await server.context.recoveryHolds.find(account.id)).toBeUndefined()
    expect(await planned(account.id)).toBe(0)
  })
})

const ORIGIN = { ip: '192.0.2.9', userAgent: 'curl/8', requestId: 'r' }

describe('where no wait opens an account', () => {
  it('RECOVERY_HOLD_HOURS=0 asks for a recovery code and takes nothing else', async () => {
    await using server = await startServer({ config: { recoveryHoldHours: 0 } })
    const account = await createAccount(server)
    const { recoveryCodes } = await enableMfa(server, account)
    await server.inbox.next(account.email)
    const browser = await proveMailbox(server, account.email)
    expect(browser.page.words).toContain('Only those who run this server can let you in.')
    expect(browser.page.text).not.toContain('/recover/wait')
    const csrf = csrfOf(browser.page.form('/recover/next'))
    expect((await browser.post('/recover/wait', { _csrf: csrf })).status).toBe(403)
    await browser.visit('/recover/next')
    await browser.submit('/recover/next', { code: recoveryCodes[0] ?? '' })
    expect(browser.page.url.pathname).toBe('/recover/new')
  })
})

describe('two instances', () => {
  it('fifty starts at once make one recovery that waits, with one set of mails', async () => {
    await using one = await startServer()
    await using two = await startServer({ database: { url: one.config.database.url } })
    const account = await createAccount(one)
    await enableMfa(one, account)
    const passes = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const { context } = index % 2 ? one : two
        return context.database.em.fork().transactional(async (tx) => {
          const person = await tx.findOneOrFail(Account, { id: account.id })
          return { context, person }
        })
      }),
    )
    const begun = await Promise.all(
      passes.map(({ context, person }) =>
        context.database.em
          .fork()
          .transactional((tx) =>
            context.recoveryHolds.begin(tx, person, { seconds: 86_400, origin: ORIGIN }),
          ),
      ),
    )
    expect(new Set(begun.map(({ id }) => id)).size).toBe(1)
    expect(begun.filter(({ linkSecret }) => linkSecret !== undefined)).toHaveLength(1)
    const { rows } = await one.context.database.pool.query<{ count: number }>(
      'select count(*)::int as "count" from "outbox_message" where "about_id" is not null',
    )
    expect(rows[0]?.count).toBe(2)
  })
})

describe('what was there before a reset, a report or a recovery', () => {
  const server = useServer()

  const binding = 'interaction:test'
  type Held = Awaited<ReturnType<typeof givePasskey>>

  async function planted(password: string | null = null) {
    const account = await createAccount(server, { password })
    const held = await givePasskey(server, account)
    return { account, held }
  }

  /** Whether the passkey signs in alone, and whether it answers a second step. */
  async function uses({ authenticator }: Held, accountId: string): Promise<[boolean, boolean]> {
    const { passkeys } = server.context
    const worked = async (prove: () => Promise<unknown>) =>
      prove().then(
        () => true,
        () => false,
      )
    const alone = await worked(async () => {
      const credential = authenticator.assert(passkeys.signInOptions(binding))
      return passkeys.proveFirst({ credential, binding }, ORIGIN)
    })
    const second = await worked(async () => {
      const options = await passkeys.assertionOptions(accountId, binding)
      if (!options) throw new Error('none is asked for')
      const credential = authenticator.assert(options)
      return passkeys.proveSecond({ credential, binding, accountId }, ORIGIN)
    })
    return [alone, second]
  }

  const reset = (email: string): Promise<void> => resetPassword(server, email)

  async function strongest(id: string): Promise<number> {
    return (await server.context.database.em.fork().findOneOrFail(Account, { id })).strongest
  }

  async function report(id: string): Promise<void> {
    const { database, events } = server.context
    const issued = await database.em
      .fork()
      .transactional(async (tx) => events.issueReport(tx, await tx.findOneOrFail(Account, { id })))
    await events.report(issued.linkSecret)
  }

  it('TF-08 a reset: an older passkey signs nobody in alone, answers the second step, and is confirmed by that', async () => {
    const { account, held } = await planted()
    expect((await uses(held, account.id))[0]).toBe(true)
    await reset(account.email)
    expect(await strongest(account.id)).toBe(2)
    expect(await server.context.recoveryCodes.left(account.id)).toBe(10)
    const alone = await server.context.passkeys
      .proveFirst(
        {
          credential: held.authenticator.assert(server.context.passkeys.signInOptions(binding)),
          binding,
        },
        ORIGIN,
      )
      .catch((error: unknown) => error)
    expect(alone).toMatchObject({ code: 'passkey_refused' })
    expect(await uses(held, account.id)).toEqual([false, true])
    expect(await uses(held, account.id)).toEqual([true, true])
  })

  it('a report: nothing works, recovery codes are void, and after the reset the passkey answers the second step', async () => {
    const { account, held } = await planted()
    await report(account.id)
    expect(await uses(held, account.id)).toEqual([false, false])
    expect(await server.context.recoveryCodes.left(account.id)).toBe(0)
    await reset(account.email)
    expect(await uses(held, account.id)).toEqual([false, true])
  })

  it('PW-11 PW-12 a report of a person without a password is answered by a recovery as well', async () => {
    const { account } = await planted()
    await report(account.id)
    const browser = await waitForRecovery(server, account.email)
    expect(browser.page.status).toBe(200)
    await passHours(server, 24)
    const pass = await openRecovery(account.id)
    const codes = await server.context.regaining.withPassword(pass, NEW_PASSWORD, ORIGIN)
    await browser.visit('/account')
    await enter(browser, { ...account, password: NEW_PASSWORD })
    await browser.submit('/mfa', { code: codes[0] ?? '' })
    expect(browser.page.url.pathname).toBe('/account')
  })

  /** As the mailed link does, without waiting for its mail. */
  async function openRecovery(accountId: string): Promise<string> {
    const { database } = server.context
    const secret = 'a-link-of-the-test'
    await database.pool.query(
      `update "verification_token" set "link_digest" = sha256($2::bytea) where "subject_id" = $1 and "purpose" = 'recovery_hold'`,
      [accountId, Buffer.from(secret)],
    )
    return (await server.context.recovery.spendLink(secret)).secret
  }

  it.each([
    ['a classic merge: a passkey made before its owner came', 'recovery'],
    ['a trojan identifier: a passkey beside the password of the owner', 'reset'],
  ] as const)('pre-hijack by %s opens nothing after a %s', async (_, way) => {
    const { account, held } = await planted(way === 'reset' ? PASSWORD : null)
    if (way === 'reset') await reset(account.email)
    else {
      await waitForRecovery(server, account.email)
      await passHours(server, 24)
      await server.context.regaining.withPassword(
        await openRecovery(account.id),
        NEW_PASSWORD,
        ORIGIN,
      )
    }
    const { passkeys } = server.context
    const credential = held.authenticator.assert(passkeys.signInOptions(binding))
    await expect(passkeys.proveFirst({ credential, binding }, ORIGIN)).rejects.toMatchObject({
      code: 'passkey_refused',
    })
    const [row] = await passkeys.list(account.id)
    expect(row?.suspendedFor).toBe(way)
    if (way === 'recovery')
      expect(await passkeys.assertionOptions(account.id, binding)).toBe(undefined)
    expect(await strongest(account.id)).toBe(2)
  })

  it('pre-hijack by a session that does not expire: it ends with the reset and with the recovery', async () => {
    for (const way of ['reset', 'recovery'] as const) {
      const account = await createAccount(server)
      const { browser } = await signedIn(server, { account })
      expect((await browser.visit('/account')).words).toContain(account.email)
      if (way === 'reset') await reset(account.email)
      else await finishAlone(account.email)
      expect((await browser.visit('/account')).h1).toBe('Sign in')
    }
  })

  it('pre-hijack by a change of address that waits: its code is void after a recovery', async () => {
    const account = await createAccount(server)
    const elsewhere = `thief.${account.id.slice(0, 8)}@example.net`
    const { emailChange } = server.context
    const started = await emailChange.start(account.id, elsewhere, ORIGIN)
    const code = await server.inbox.code(elsewhere)
    await finishAlone(account.email)
    const typed = { accountId: account.id, tokenId: started.tokenId, email: elsewhere, code }
    await expect(emailChange.complete(typed, ORIGIN)).rejects.toMatchObject({
      code: 'invalid_code',
    })
  })

  async function finishAlone(email: string): Promise<void> {
    const browser = await proveMailbox(server, email)
    const page = await browser.submit('/recover/new', { password: NEW_PASSWORD })
    expect(page.h1).toBe('Your account is yours again')
  }

  it('a thief of the mailbox who has waited: for a week the passkey of the owner freezes the account', async () => {
    const { account, held } = await planted()
    await waitForRecovery(server, account.email)
    await passHours(server, 24)
    const grant = await openRecovery(account.id)
    const codes = await server.context.regaining.withPassword(grant, NEW_PASSWORD, ORIGIN)
    const thief = new Browser(server.origin)
    await thief.visit('/account')
    await enter(thief, { ...account, password: NEW_PASSWORD })
    await thief.submit('/mfa', { code: codes[0] ?? '' })
    expect(thief.page.url.pathname).toBe('/account')

    const owner = new Browser(server.origin)
    await owner.visit('/account')
    await showPasskey(owner, held.authenticator)
    expect(owner.page.h1).toBe('This passkey waits')
    await owner.follow(
      owner.page.links.find(({ pathname }) => pathname === '/report-compromise') ?? '',
    )
    await owner.submit('/report-compromise')
    expect((await thief.visit('/account')).h1).toBe('Sign in')
    expect((await enter(thief, { ...account, password: NEW_PASSWORD })).status).toBe(401)

    await server.context.database.pool.query(
      `update "passkey" set "suspended_for" = 'recovery', "suspended_at" = now() - interval '8 days' where "account_id" = $1`,
      [account.id],
    )
    const late = held.authenticator.assert(server.context.passkeys.signInOptions(binding))
    const refused = await server.context.passkeys
      .proveFirst({ credential: late, binding }, ORIGIN)
      .catch((error: unknown) => error)
    expect((refused as { details?: { report?: string } }).details?.report).toBeUndefined()
  })

  it('PK-01 a new passkey ends a recovery: it is both factors, the old one waits, the password is void', async () => {
    const { account, held } = await planted(PASSWORD)
    await waitForRecovery(server, account.email)
    await passHours(server, 24)
    const grant = await openRecovery(account.id)
    const { regaining, passkeys } = server.context
    const fresh = new Authenticator(server.origin)
    const made = fresh.register(await regaining.passkeyOptions(grant))
    expect(await regaining.withPasskey(grant, made, ORIGIN)).toHaveLength(10)
    await expect(regaining.withPasskey(grant, made, ORIGIN)).rejects.toMatchObject({
      code: 'invalid_link',
    })
    const credential = fresh.assert(passkeys.signInOptions(binding))
    expect((await passkeys.proveFirst({ credential, binding }, ORIGIN)).accountId).toBe(account.id)
    expect((await uses(held, account.id))[0]).toBe(false)
    const at = new Browser(server.origin)
    await at.visit('/account')
    expect((await enter(at, account)).status).toBe(401)
    const old = (await passkeys.list(account.id)).find(({ suspendedFor }) => suspendedFor)
    await passkeys.confirm(account.id, old?.id ?? '', { origin: ORIGIN })
    expect((await uses(held, account.id))[0]).toBe(true)
  })

  it('UP-01 an identity that was planted waits after a reset, a report and a recovery', async () => {
    const { pool } = server.context.database
    for (const way of ['reset', 'report', 'recovery'] as const) {
      const account = await createAccount(server)
      await pool.query(
        `insert into "provider" ("id", "name", "kind", "client_id", "scopes", "created_at", "updated_at")
         values ('planted', 'Planted', 'oidc', 'x', '{}', now(), now()) on conflict do nothing`,
      )
      await pool.query(
        `insert into "identity" ("id", "account_id", "provider_id", "issuer", "subject", "linked_at", "linked_by")
         values (gen_random_uuid(), $1::uuid, 'planted', 'https://op.example', $1::uuid::text, now(), 'link')`,
        [account.id],
      )
      if (way === 'reset') await reset(account.email)
      else if (way === 'report') await report(account.id)
      else await finishAlone(account.email)
      const [identity] = await server.context.identities.list(account.id)
      expect({ way, waits: identity?.suspendedAt != null }).toEqual({ way, waits: true })
    }
  })
})
