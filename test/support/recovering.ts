import { Browser } from './browser.ts'
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
