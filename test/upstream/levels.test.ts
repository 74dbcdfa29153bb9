import { beforeAll, describe, expect, it } from '@jest/globals'
import { ACR } from '../../src/accounts/factors/levels.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey } from '../support/passkeys.ts'
import { enableMfa } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import {
  browse,
  comeBy,
  FROM_ELSEWHERE,
  honestBefore,
  leaveFor,
} from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createTrusted } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

const OURS = 'urn:gatehouse:amr:upstream'

describe('TF-10 how strong a sign-in by a provider is', () => {
  const server = useServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
  const op = HostileOp.use()
  honestBefore(op, { email_verified: true })

  beforeAll(async () => {
    await createTrusted(server, op, { acme: false, trusted: true })
  })

  /** An account that both providers open, and that takes two factors. */
  async function owner() {
    const account = await createAccount(server)
    for (const id of ['acme', 'trusted'])
      await server.context.database.pool.query(
        `insert into identity (id, account_id, provider_id, issuer, subject, linked_at, linked_by)
         values (gen_random_uuid(), $1, $2, $3, $4, now(), 'link')`,
        [account.id, id, op.issuer, op.person['sub']],
      )
    return account
  }

  /** A sign-in to an app by a provider that says so of it. */
  async function signInBy(
    id: string,
    amr: unknown,
    { asking = {}, code }: { asking?: Record<string, string>; code?: () => Promise<string> } = {},
  ) {
    op.lies = { claims: { amr, acr: ACR.phishingResistant } }
    const party = await relyingParty(server, { firstParty: true })
    const browser = browse(server)
    await browser.visit(party.authorizationUrl(asking))
    await comeBy(browser, op, id)
    const step = browser.page.isForeign ? undefined : browser.page.step
    if (step === 'mfa') await browser.submit('/mfa', { code: (await code?.()) ?? '' })
    const claims = browser.page.isForeign
      ? (await party.redeem(browser.page.url)).claims()
      : undefined
    return { step, acr: claims?.acr, amr: claims?.['amr'], page: browser.page }
  }

  it('two factors of a trusted provider are two factors here, and no second step follows', async () => {
    const account = await owner()
    await enableMfa(server, account)
    expect(await signInBy('trusted', ['pwd', 'otp', 'mfa'])).toMatchObject({
      step: undefined,
      acr: ACR.multiFactor,
      amr: [OURS, 'pwd', 'otp', 'mfa'],
    })
  })

  it('what any other provider claims counts for nothing: the second step is taken', async () => {
    const account = await owner()
    const { code } = await enableMfa(server, account)
    expect(await signInBy('acme', ['pwd', 'otp', 'mfa'], { code })).toMatchObject({
      step: 'mfa',
      acr: ACR.multiFactor,
      amr: [OURS, 'otp', 'mfa'],
    })
  })

  it('who has no second factor is signed in with one, whatever an untrusted provider claims', async () => {
    await owner()
    expect(await signInBy('acme', ['mfa', 'pop'])).toMatchObject({
      step: undefined,
      acr: ACR.singleFactor,
      amr: [OURS],
    })
  })

  it.each([
    ['one factor', ['pwd']],
    ['a key alone', ['pop', 'hwk']],
    ['a text instead of a list', 'mfa'],
    ['another word for it', ['MFA', ' mfa', 'multi']],
    ['nothing', undefined],
  ])(
    'a trusted provider that says %s is one factor, and the second step is taken',
    async (_what, amr) => {
      const account = await owner()
      const { code } = await enableMfa(server, account)
      expect(await signInBy('trusted', amr, { code })).toMatchObject({
        step: 'mfa',
        acr: ACR.multiFactor,
      })
    },
  )

  it('no provider is believed that a sign-in resists phishing', async () => {
    await owner()
    const { amr, acr } = await signInBy('trusted', ['pop', 'hwk', 'mfa'])
    expect([acr, amr]).toEqual([ACR.multiFactor, [OURS, 'hwk', 'mfa']])
  })

  it('an app that demands two factors has them from a trusted provider, and not from another', async () => {
    await owner()
    const asking = { acr_values: ACR.multiFactor }
    const trusted = await signInBy('trusted', ['mfa'], { asking })
    expect(trusted).toMatchObject({ step: undefined, acr: ACR.multiFactor })
    expect((await signInBy('acme', ['mfa'], { asking })).step).toBe('mfa-enrol')
  })

  it('the classes that an app asks for are asked of trusted providers only', async () => {
    const party = await relyingParty(server)
    for (const [id, expected] of [
      ['acme', null],
      ['trusted', ACR.multiFactor],
    ] as const) {
      const browser = browse(server)
      await browser.visit(party.authorizationUrl({ acr_values: ACR.multiFactor }))
      expect((await leaveFor(browser, id)).searchParams.get('acr_values')).toBe(expected)
    }
  })

  it('the second step is by whichever factor the account has', async () => {
    const account = await owner()
    const { authenticator } = await givePasskey(server, account)
    expect(authenticator).toBeDefined()
    const browser = browse(server)
    await browser.visit('/account')
    const page = await browser.visit(await op.authorize(await leaveFor(browser)), FROM_ELSEWHERE)
    expect(page.step).toBe('mfa')
    expect(page.form('/mfa').fields.map(({ name }) => name)).toContain('credential')
  })
})
