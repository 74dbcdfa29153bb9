import { generate } from 'otplib/functional'
import { TotpCredential } from '../../src/entities/index.ts'
import { Browser } from './browser.ts'
import { createAccount, type NewAccount } from './factories.ts'
import type { TestServer } from './server.ts'

type Server = Pick<TestServer, 'origin' | 'context'>
export type Account = Awaited<ReturnType<typeof createAccount>>

/** Where a use case is told that it was called from. */
export const ORIGIN = { ip: '192.0.2.1', userAgent: '', requestId: 'test' }

export interface Authenticator {
  readonly secret: string
  readonly recoveryCodes: readonly string[]
  /** The code of this moment, or of so many steps from now. */
  code(steps?: number): Promise<string>
}

export function codeOf(secret: string, steps = 0): Promise<string> {
  return generate({ secret, epoch: Math.floor(Date.now() / 1000) + steps * 30 })
}

/**
 * Turns two-step sign-in on by the use case, in the session that was seen last, if there is one:
 * all others end. The code of this moment is still unused afterwards.
 */
export async function enableMfa(
  server: Server,
  account: { id: string; email: string },
): Promise<Authenticator> {
  const { mfa, sessions } = server.context
  const [own] = await sessions.list(account.id)
  const { id: enrolmentId, secret } = await mfa.enrol(account)
  const typed = { accountId: account.id, enrolmentId, code: await codeOf(secret) }
  const recoveryCodes = await mfa.confirm(typed, ORIGIN, { sessionId: own?.id })
  await forgetStep(server, account.id)
  return { secret, recoveryCodes, code: (steps) => codeOf(secret, steps) }
}

/** As if half a minute had passed: the code of this moment may be used again. */
export async function forgetStep({ context }: Server, accountId: string): Promise<void> {
  await context.database.em
    .fork()
    .nativeUpdate(TotpCredential, { account: accountId }, { lastStep: 0 })
}

/** A person who has just signed in to the account pages, in a browser without JavaScript. */
export async function signedIn(
  server: Server,
  { account, path = '/account', authenticator, remember, ...wanted }: SignInOptions = {},
): Promise<{ browser: Browser; account: Account }> {
  const person = account ?? (await createAccount(server, wanted))
  const browser = new Browser(server.origin)
  await browser.visit(path)
  await enter(browser, person, { authenticator, remember })
  if (browser.page.status !== 200)
    throw new Error(`Not signed in: ${browser.page.status} ${browser.page.words}`)
  return { browser, account: person }
}

interface SignInOptions extends NewAccount {
  readonly account?: Account
  readonly path?: string
  readonly authenticator?: Authenticator | undefined
  readonly remember?: boolean | undefined
}

/** Fills the login form that the browser shows, and the code step if there is one. */
export async function enter(
  browser: Browser,
  person: { email: string; password: string },
  { authenticator, remember }: Pick<SignInOptions, 'authenticator' | 'remember'> = {},
) {
  const again = browser.page.words.includes('Confirm it is you')
  const page = await browser.submit('/login', {
    username: person.email,
    password: person.password,
    ...(again || remember === undefined ? {} : { remember }),
  })
  return authenticator ? browser.submit('/mfa', { code: await authenticator.code() }) : page
}

/** As if the account's sessions had been opened so many seconds earlier. */
export async function age({ context }: Server, accountId: string, seconds: number): Promise<void> {
  await context.database.pool.query(
    `update "oidc_artifact" set "payload" = jsonb_set("payload", '{loginTs}', to_jsonb(("payload"->>'loginTs')::int - $2::int))
     where "model" = 'Session' and "account_id" = $1 and "payload" ? 'loginTs'`,
    [accountId, seconds],
  )
  await context.database.pool.query(
    `update "session" set "authenticated_at" = "authenticated_at" - $2::int * interval '1 second',
      "second_proved_at" = "second_proved_at" - $2::int * interval '1 second' where "account_id" = $1`,
    [accountId, seconds],
  )
}
