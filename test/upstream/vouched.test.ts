import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { addresses } from '../security/attacks.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { enableMfa } from '../support/people.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { comeBy, somebody } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createTrusted } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'

const elsewhere = addresses()
const TWO = { claims: { amr: ['pwd', 'otp', 'mfa'] } }

describe.each([
  ['the operator', '2fa' as const, {}],
  ['an app', '1fa' as const, { requireMfa: true }],
])(
  'TF-11 two factors of a trusted provider, where %s demands two',
  (_who, requiredLevel, client) => {
    let server: TestServer
    let op: HostileOp
    let party: RelyingParty

    beforeAll(async () => {
      op = await HostileOp.open()
      server = await startServer({
        outgoing: TO_LOOPBACK,
        config: { trustedProxyHops: 1 },
        signIn: { requiredLevel },
      })
      await createTrusted(server, op, { acme: false, trusted: true, doomed: true })
      party = await relyingParty(server, { firstParty: true, ...client })
    })
    beforeEach(() => {
      op.lies = TWO
    })
    afterAll(async () => {
      await server.stop()
      await op[Symbol.asyncDispose]()
    })

    const query = (sql: string, ...values: unknown[]) =>
      server.context.database.pool.query(sql, values)

    /** Somebody with no second factor here, signed in to the app by a provider. */
    async function signedInBy(id: string) {
      const account = await createAccount(server)
      op.person = somebody()
      await query(
        `insert into identity (id, account_id, provider_id, issuer, subject, linked_at, linked_by)
         values (gen_random_uuid(), $1, $2, $3, $4, now(), 'link')`,
        account.id,
        id,
        op.issuer,
        op.person['sub'],
      )
      const browser = new Browser(server.origin, { headers: elsewhere() })
      await browser.visit(party.authorizationUrl())
      await comeBy(browser, op, id)
      return { account, browser }
    }
    const again = async (browser: Browser) => {
      const page = await browser.copy().visit(party.authorizationUrl({ prompt: 'none' }))
      return page.url.searchParams.get('error') ?? 'signed in'
    }

    it('do for the session, too: the app is not asked again and again, and the account pages open', async () => {
      const { browser } = await signedInBy('trusted')
      expect(browser.page.step).toBe('app')
      expect(await again(browser)).toBe('signed in')
      const page = await browser.visit('/account/profile')
      expect([page.status, page.url.pathname]).toEqual([200, '/account/profile'])
    })

    it('do no more once the account is not connected with it', async () => {
      const { account, browser } = await signedInBy('trusted')
      await query('delete from identity where account_id = $1', account.id)
      expect(await again(browser)).toBe('interaction_required')
    })

    it('do no more once the identity waits for its owner', async () => {
      const { account, browser } = await signedInBy('trusted')
      await query('update identity set suspended_at = now() where account_id = $1', account.id)
      expect(await again(browser)).toBe('interaction_required')
    })

    it.each([
      ['is not trusted any more', `settings = settings || '{"trustAmr": false}'`],
      ['is off', 'disabled_at = now()'],
    ])('do no more once the provider %s', async (_what, change) => {
      const { browser } = await signedInBy('doomed')
      expect(await again(browser)).toBe('signed in')
      await query(`update provider set ${change} where id = 'doomed'`)
      try {
        expect(await again(browser)).toBe('interaction_required')
      } finally {
        await query(
          `update provider set disabled_at = null, settings = settings || '{"trustAmr": true}'
           where id = 'doomed'`,
        )
      }
    })

    it('are not those of a factor here that is gone', async () => {
      op.lies = { claims: { amr: ['pwd'] } }
      const account = await createAccount(server)
      const { code } = await enableMfa(server, account)
      op.person = somebody()
      await query(
        `insert into identity (id, account_id, provider_id, issuer, subject, linked_at, linked_by)
         values (gen_random_uuid(), $1, 'trusted', $2, $3, now(), 'link')`,
        account.id,
        op.issuer,
        op.person['sub'],
      )
      const browser = new Browser(server.origin, { headers: elsewhere() })
      await browser.visit(party.authorizationUrl())
      await comeBy(browser, op, 'trusted')
      await browser.submit('/mfa', { code: await code() })
      expect(await again(browser)).toBe('signed in')
      await query('delete from totp_credential where account_id = $1', account.id)
      await query('update account set strongest = 1, mfa_enabled = false where id = $1', account.id)
      await eventually(() => again(browser), 'interaction_required')
    })
  },
)
