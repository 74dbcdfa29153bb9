import { beforeAll, describe, expect, it } from '@jest/globals'
import { age, signedIn } from '../support/people.ts'
import { relyingParty } from '../support/relying-party.ts'
import {
  atLogin,
  browse,
  comeBy,
  connect,
  FROM_ELSEWHERE,
  honestBefore,
  leaveFor,
  somebody,
} from '../support/upstream/coming.ts'
import { FakeGitHub } from '../support/upstream/fake-github.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createGitHub, createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

const ago = (seconds: number): number => Math.floor(Date.now() / 1000) - seconds
const INVALID = 'The answer from Acme was not valid'
const CONFIRM = 'Confirm it is you'

describe('UP-12 a fresh sign-in is asked of the provider, too', () => {
  const server = useServer({ outgoing: TO_LOOPBACK, config: { trustedProxyHops: 1 } })
  const op = HostileOp.use()
  const github = FakeGitHub.use()
  honestBefore(op, { email_verified: true })
  const signedInBy = (seconds: number | undefined): void => {
    op.lies = { claims: { auth_time: seconds === undefined ? undefined : ago(seconds) } }
  }
  /** Somebody who has come by Acme, and whose sign-in here is that old. */
  const grown = async (seconds: number) => {
    const browser = await atLogin(server)
    await comeBy(browser, op)
    const { rows } = await server.context.database.pool.query(
      'select account_id as id from identity where subject = $1',
      [op.person['sub']],
    )
    await age(server, String(rows[0].id), seconds)
    return browser
  }

  beforeAll(async () => {
    const settings = { emailTrust: 'claim' }
    await createProvider(server, { issuer: op.issuer, settings })
    await createGitHub(server, github)
  })

  it('an old sign-in over there does not satisfy max_age, nor does one that is not dated', async () => {
    const party = await relyingParty(server, { firstParty: true })
    for (const [seconds, isEnough] of [
      [3600, false],
      [undefined, false],
      [30, true],
    ] as const) {
      signedInBy(seconds)
      const browser = browse(server)
      await browser.visit(party.authorizationUrl({ max_age: '60' }))
      const asked = await leaveFor(browser)
      expect(asked.searchParams.get('max_age')).toBe('60')
      const page = await browser.visit(await op.authorize(asked), FROM_ELSEWHERE)
      expect(page.words.includes(INVALID)).toBe(!isEnough)
      expect(page.isForeign).toBe(isEnough)
      if (isEnough) expect((await party.redeem(page.url)).claims()).toHaveProperty('auth_time')
    }
  })

  it.each([{ prompt: 'login' }, { max_age: '0' }])('%j takes a sign-in of now', async (asking) => {
    const party = await relyingParty(server, { firstParty: true })
    signedInBy(3600)
    const old = browse(server)
    await old.visit(party.authorizationUrl(asking))
    const asked = await leaveFor(old)
    expect(asked.searchParams.get('max_age')).toBe('0')
    expect((await old.visit(await op.authorize(asked), FROM_ELSEWHERE)).words).toContain(INVALID)
    signedInBy(0)
    const young = browse(server)
    await young.visit(party.authorizationUrl(asking))
    expect((await comeBy(young, op)).isForeign).toBe(true)
  })

  it('a sign-in that need not be fresh may be old over there', async () => {
    signedInBy(86_400)
    const browser = await atLogin(server)
    const asked = await leaveFor(browser)
    expect(asked.searchParams.has('max_age')).toBe(false)
    const page = await browser.visit(await op.authorize(asked), FROM_ELSEWHERE)
    expect(page.url.pathname).toBe('/account')
  })

  it('SE-10 who confirms who they are by a provider has signed in there lately', async () => {
    const browser = await grown(601)
    expect((await browser.visit('/account/email')).h1).toBe(CONFIRM)
    signedInBy(601 + 60)
    expect((await comeBy(browser, op)).words).toContain(INVALID)
    signedInBy(300)
    expect((await comeBy(browser, op)).url.pathname).toBe('/account/email')
  })

  it('SE-10 nobody else confirms it: neither another person nor a newcomer', async () => {
    const browser = await grown(601)
    const known = somebody({ email_verified: true })
    const person = op.person
    op.person = known
    await grown(0)
    await browser.visit('/account/email')
    for (const other of [known, somebody({ email_verified: true })]) {
      op.person = other
      const page = await comeBy(browser, op)
      expect(page.h1).toBe(CONFIRM)
      expect(page.words).toContain('Acme cannot sign you in here just now')
    }
    op.person = person
    expect((await comeBy(browser, op)).url.pathname).toBe('/account/email')
  })

  it('SE-10 who goes on as somebody else says so, and may', async () => {
    const browser = await grown(601)
    await browser.visit('/account/email')
    await browser.follow(browser.page.links.find(({ search }) => search === '?account=other') ?? '')
    op.person = somebody({ email_verified: true })
    const asked = await leaveFor(browser)
    expect(asked.searchParams.get('prompt')).toBe('select_account')
    const page = await browser.visit(await op.authorize(asked), FROM_ELSEWHERE)
    expect(page.url.pathname).toBe('/account/email')
    expect(page.words).toContain(String(op.person['email']))
  })

  it('SE-04 a session that is remembered stays so', async () => {
    const { browser, account } = await signedIn(server, { remember: true })
    expect((await connect(browser, op)).words).toContain('It is connected.')
    await age(server, account.id, 601)
    await browser.visit('/account/email')
    await comeBy(browser, op)
    expect(browser.page.url.pathname).toBe('/account/email')
    const [session] = await server.context.sessions.list(account.id)
    expect(session?.isRemembered).toBe(true)
  })

  it('who cannot say when somebody signed in has them choose their account there', async () => {
    const party = await relyingParty(server, { firstParty: true })
    const browser = browse(server)
    await browser.visit(party.authorizationUrl())
    expect((await leaveFor(browser, 'github')).searchParams.has('prompt')).toBe(false)
    const careful = browse(server)
    await careful.visit(party.authorizationUrl({ max_age: '60' }))
    const asked = await leaveFor(careful, 'github')
    expect(asked.searchParams.get('prompt')).toBe('select_account')
  })
})
