import { Account } from '../../src/entities/index.ts'
import { Browser } from './browser.ts'
import { ORIGIN } from './people.ts'
import type { TestServer } from './server.ts'

const HOUR = 3_600_000

/** A browser that has asked for a recovery and waits for the code. */
export async function askRecovery(server: TestServer, email: string): Promise<Browser> {
  const browser = new Browser(server.origin)
  await browser.visit('/recover')
  await browser.submit('/recover', { email })
  return browser
}

/** One that has typed the mailed code. */
export async function proveMailbox(server: TestServer, email: string): Promise<Browser> {
  const browser = await askRecovery(server, email)
  await browser.submit('/recover/code', { code: await server.inbox.code(email) })
  return browser
}

/** One that waits, as somebody does who has the mailbox and nothing else. */
export async function waitForRecovery(server: TestServer, email: string): Promise<Browser> {
  const browser = await proveMailbox(server, email)
  await browser.submit('/recover/wait')
  return browser
}

/** As if so many hours had passed for the recoveries of a server, and for the mails that are planned. */
export async function passHours({ context }: TestServer, hours: number): Promise<void> {
  const by = [hours * HOUR]
  const back = (column: string) => `"${column}" = "${column}" - $1 * interval '1 millisecond'`
  await context.database.pool.query(
    `update "verification_token" set ${back('available_at')}, ${back('expires_at')}
     where "purpose" in ('recovery_hold', 'recovery_cancelled', 'stop_recovery')`,
    by,
  )
  await context.database.pool.query(
    `update "outbox_message" set ${back('available_at')}, ${back('created_at')} where "about_id" is not null and "attempts" = 0`,
    by,
  )
}

/** As if the wait were over and its link opened: what makes the new way in. */
export async function openWait({ context }: TestServer, accountId: string): Promise<string> {
  const { database, recovery, recoveryHolds } = context
  const { linkSecret = '' } = await database.em
    .fork()
    .transactional(async (tx) =>
      recoveryHolds.begin(tx, await tx.findOneOrFail(Account, { id: accountId }), { seconds: 0 }),
    )
  return (await recovery.spendLink(linkSecret)).secret
}

/** A whole recovery by the mailbox alone. Returns the new recovery codes. */
export async function recoverWith(server: TestServer, accountId: string, password: string) {
  const grant = await openWait(server, accountId)
  return server.context.regaining.withPassword(grant, password, ORIGIN)
}

/** "This wasn't me", as behind any of the account's mails. */
export async function report({ context }: TestServer, id: string): Promise<void> {
  const { database, events } = context
  const { linkSecret } = await database.em
    .fork()
    .transactional(async (tx) => events.issueReport(tx, await tx.findOneOrFail(Account, { id })))
  await events.report(linkSecret)
}

/** A new password by a mailed link. */
export async function resetWith({ context }: TestServer, id: string, password: string) {
  const { linkSecret: secret } = await context.passwordReset.requestFor(id, { isMailed: false })
  await context.passwordReset.completeByLink({ secret, password }, ORIGIN)
}
