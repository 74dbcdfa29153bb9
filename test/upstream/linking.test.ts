import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import { type Authenticator, enableMfa } from '../support/people.ts'
import type { TestServer } from '../support/server.ts'
import { atLogin, comeBy, somebody } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

const VERIFIED = [true, false, undefined, 'true', 'false', 1, 0, null] as const
const TRUST = ['claim', 'never', 'domains'] as const

interface Row {
  readonly isKnown: boolean
  readonly verified: (typeof VERIFIED)[number]
  readonly trust: (typeof TRUST)[number]
  readonly hasEmail: boolean
  readonly hasAccount: boolean
  readonly hasMfa: boolean
}

type Person = Pick<Row, 'hasAccount' | 'hasMfa'>
const PEOPLE: readonly Person[] = [
  { hasAccount: false, hasMfa: false },
  { hasAccount: true, hasMfa: false },
  { hasAccount: true, hasMfa: true },
]
const newcomers = (said: Pick<Row, 'verified' | 'trust' | 'hasEmail'>): Row[] =>
  PEOPLE.map((person) => ({ ...said, ...person, isKnown: false }))

/** Every row of the table of docs/upstream.md that can be. */
const ROWS: readonly Row[] = [
  ...TRUST.flatMap((trust) =>
    VERIFIED.flatMap((verified) => newcomers({ trust, verified, hasEmail: true })),
  ),
  ...TRUST.flatMap((trust) => newcomers({ trust, verified: true, hasEmail: false })),
  ...[true, false].flatMap((verified) =>
    [true, false].flatMap((hasAccount) =>
      [true, false].map((hasMfa) => ({
        isKnown: true,
        trust: verified ? ('claim' as const) : ('never' as const),
        hasEmail: true,
        verified,
        hasAccount,
        hasMfa,
      })),
    ),
  ),
]

/** The table itself, written down apart from the code. */
function expected(row: Row): { page: string; next?: string } {
  if (row.isKnown) return { page: row.hasMfa ? 'second step' : 'signed in' }
  if (!row.hasEmail) return { page: 'address' }
  const isProven = row.verified === true && row.trust !== 'never'
  if (isProven) return { page: row.hasAccount ? 'connect' : 'signed in' }
  return { page: 'code', next: row.hasAccount ? 'connect' : 'signed in' }
}

const named = (row: Row): string =>
  `${row.isKnown ? 'known' : 'new'}, email_verified ${JSON.stringify(row.verified)}, trust ${row.trust}, ${
    row.hasEmail ? 'address' : 'no address'
  }, ${row.hasAccount ? 'account' : 'no account'}${row.hasMfa ? ' with two steps' : ''}`

/** Which page of the table the browser shows. */
function pageOf(browser: Browser): string {
  const { page } = browser
  if (page.status >= 400) return `${page.status} ${page.url.pathname} ${page.words}`
  if (page.url.pathname === '/account' && page.status === 200) return 'signed in'
  if (page.url.pathname.endsWith('/mfa')) return 'second step'
  if (page.url.pathname.endsWith('/arrival')) return 'address'
  if (page.url.pathname.endsWith('/arrival-code')) return 'code'
  if (page.url.pathname.endsWith('/connect')) return 'confirm'
  if (page.words.includes('There is an account with your address already')) return 'connect'
  return `${page.status} ${page.url.pathname} ${page.words}`
}

describe('who comes by a provider', () => {
  const server = useServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
  const op = HostileOp.use()
  const identities = async (email: string): Promise<number> =>
    Number(
      (
        await server.context.database.pool.query(
          'select count(*)::int as n from identity i join account a on a.id = i.account_id where a.email = $1',
          [email],
        )
      ).rows[0].n,
    )
  const arriveAnew = async (id: string): Promise<Browser> => {
    const browser = await atLogin(server)
    await comeBy(browser, op, id)
    return browser
  }

  beforeAll(async () => {
    for (const emailTrust of TRUST)
      await createProvider(server, {
        id: emailTrust,
        issuer: op.issuer,
        settings: { emailTrust, domains: emailTrust === 'domains' ? ['example.net'] : [] },
      })
  })

  it.each(ROWS.map((row) => [named(row), row] as const))('UP-01 UP-02 %s', async (_name, row) => {
    const { email, email_verified: _before, ...rest } = somebody()
    const address = String(email)
    op.person = {
      ...rest,
      ...(row.hasEmail ? { email } : {}),
      ...(row.verified === undefined ? {} : { email_verified: row.verified }),
    }
    const account = row.hasAccount ? await createAccount(server, { email: address }) : undefined
    let authenticator: Authenticator | undefined
    const owner = row.isKnown
      ? await createAccount(server, { email: `owner.of.${address}` })
      : account
    if (row.hasMfa && owner) authenticator = await enableMfa(server, owner)
    if (row.isKnown && owner) await link(server, owner.id, row.trust, op)

    const browser = await arriveAnew(row.trust)
    const { page, next } = expected(row)
    expect(pageOf(browser)).toBe(page)
    const linked = row.isKnown ? `owner.of.${address}` : address
    if (page === 'second step') {
      await browser.submit('/mfa', { code: (await authenticator?.code()) ?? '' })
      expect(pageOf(browser)).toBe('signed in')
    }
    if (page === 'address') {
      await browser.submit('/arrival', { email: address })
      expect(pageOf(browser)).toBe('code')
    }
    if (page === 'code' || page === 'address') {
      expect(await identities(address)).toBe(0)
      await browser.submit('/arrival-code', { code: await server.inbox.code(address) })
      expect(pageOf(browser)).toBe(next ?? (row.hasAccount ? 'connect' : 'signed in'))
    }
    if (pageOf(browser) === 'connect') {
      expect(await identities(address)).toBe(0)
      await browser.submit('/login', { username: address, password: account?.password ?? '' })
      if (authenticator) {
        expect(pageOf(browser)).toBe('second step')
        await browser.submit('/mfa', { code: await authenticator.code() })
      }
      expect(pageOf(browser)).toBe('confirm')
      expect(await identities(address)).toBe(0)
      await browser.submit('/connect', {}, { button: 'connect' })
      expect(pageOf(browser)).toBe('signed in')
    }
    expect(await identities(linked)).toBe(1)
    if (row.isKnown && row.hasAccount) expect(await identities(address)).toBe(0)
  })
})

/** As if the person had come by the provider before. */
async function link(
  { context }: TestServer,
  accountId: string,
  providerId: string,
  { issuer, person }: HostileOp,
): Promise<void> {
  await context.database.pool.query(
    `insert into identity (id, account_id, provider_id, issuer, subject, linked_at, linked_by)
     values (gen_random_uuid(), $1, $2, $3, $4, now(), 'link')`,
    [accountId, providerId, issuer, person['sub']],
  )
}
