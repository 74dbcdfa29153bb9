import { expect, jest } from '@jest/globals'
import { Browser, type BrowserOptions, type Page } from '../support/browser.ts'
import { createAccount, type NewAccount, PASSWORD } from '../support/factories.ts'
import type { TestServer } from '../support/server.ts'

/** These tests make many requests; a machine that is shared must not decide whether they pass. */
jest.setTimeout(180_000)

type Owner = Pick<TestServer, 'context' | 'origin'>

/** A browser that stands before the sign-in form of the account pages. */
export async function atLogin(server: Owner, options: BrowserOptions = {}): Promise<Browser> {
  const browser = new Browser(server.origin, options)
  await browser.visit('/login')
  return browser
}

/** A browser that stands before the sign-up form. */
export async function atSignUp(server: Owner, options: BrowserOptions = {}): Promise<Browser> {
  const browser = new Browser(server.origin, options)
  await browser.visit('/signup')
  return browser
}

export function submitLogin(browser: Browser, username: string, password: string): Promise<Page> {
  return browser.submit('/login', { username, password })
}

/** A browser signed in to the account pages. */
export async function signedIn(
  server: Owner,
  account: { email: string; password?: string },
  options: BrowserOptions = {},
): Promise<Browser> {
  const browser = await atLogin(server, options)
  const page = await submitLogin(browser, account.email, account.password ?? PASSWORD)
  expect([page.status, page.url.pathname]).toEqual([200, expect.stringMatching(/^\/account/)])
  return browser
}

export async function newPerson(
  server: Owner,
  options: NewAccount & { browser?: BrowserOptions } = {},
) {
  const { browser, ...account } = options
  const person = await createAccount(server, account)
  return { account: person, browser: await signedIn(server, person, browser) }
}

/** Whether the account pages know this browser. */
export async function isSignedIn(browser: Browser): Promise<boolean> {
  const { status, url } = await browser.copy().visit('/account')
  return status === 200 && url.pathname.startsWith('/account')
}

/** Every value of every table as text, one string per table: what a thief of the database reads. */
export async function dump(
  { context }: Pick<TestServer, 'context'>,
  tables?: readonly string[],
): Promise<Record<string, string>> {
  const { pool } = context.database
  const { rows } = await pool.query<{ name: string }>(
    `select tablename as "name" from pg_tables where schemaname = 'public' and tablename <> 'mikro_orm_migrations' order by 1`,
  )
  const texts: Record<string, string> = {}
  for (const { name } of rows) {
    if (tables && !tables.includes(name)) continue
    const content = await pool.query<{ line: string }>(
      `select t::text as "line" from "${name}" t order by 1`,
    )
    texts[name] = content.rows.map(({ line }) => line).join('\n')
  }
  return texts
}

/** Network by network: with TRUSTED_PROXY_HOPS=1 each call comes from another address. */
export function addresses(): () => Record<string, string> {
  let made = 0
  return () => {
    made += 1
    return { 'x-forwarded-for': `10.${(made >> 16) & 255}.${(made >> 8) & 255}.${made & 255}` }
  }
}
