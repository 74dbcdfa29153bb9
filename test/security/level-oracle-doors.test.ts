import { beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { type ApiAnswer, api } from '../support/api.ts'
import type { Authenticator as Key } from '../support/authenticator.ts'
import type { Browser } from '../support/browser.ts'
import { createAccount } from '../support/factories.ts'
import {
  ASKED,
  demandedBy,
  oracle,
  SIGN_INS,
  type SignIn,
  type Step,
} from '../support/level-oracle.ts'
import { givePasskey, passkeySignIn, showPasskey } from '../support/passkeys.ts'
import { type Account, type Authenticator, enableMfa, enter } from '../support/people.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { ApiApp } from '../support/upstream/api-app.ts'
import { browse, comeBy, FROM_ELSEWHERE, honestBefore } from '../support/upstream/coming.ts'
import { HostileOp } from '../support/upstream/hostile-op.ts'
import { createIdentity, createProvider } from '../support/upstream/providers.ts'
import { TO_LOOPBACK } from '../support/upstream/tls.ts'
import { useServer } from '../support/use-server.ts'

/** Somebody who can sign in so. */
interface Person extends Account {
  readonly codes: Authenticator | undefined
  readonly passkey: Key | undefined
  readonly securityKey: Key | undefined
}

/** A mailed code never opens an account whose only stronger way is a passkey. */
const isOpened = ({ first, second }: SignIn) =>
  first.id !== 'email-code' || second?.id !== 'passkey'

const ROWS = SIGN_INS.filter(isOpened).map(({ first, second: has }) => {
  // After two factors no second step is asked for.
  const isOver = oracle({ first, second: undefined }).isTwo
  const name = `${first.name}, by who has ${has?.name ?? 'nothing more'}`
  return { name, first, has, shown: isOver ? undefined : has }
})
const providerOf = ({ provider }: Step) => (provider?.isTrusted ? 'trusted' : 'untrusted')

describe('the level oracle, at both doors', () => {
  const server = useServer({
    outgoing: TO_LOOPBACK,
    config: { trustedProxyHops: 1 },
    signIn: { methods: ['password', 'passkey', 'email-code'] },
  })
  const op = HostileOp.use()
  honestBefore(op)
  let party: RelyingParty
  let app: ApiApp

  beforeAll(async () => {
    for (const isTrusted of [true, false])
      await createProvider(server, {
        id: isTrusted ? 'trusted' : 'untrusted',
        issuer: op.issuer,
        settings: { trustAmr: isTrusted },
      })
    party = await relyingParty(server, { firstParty: true })
    app = await ApiApp.register(server)
  })

  async function personOf({ first, second }: SignIn): Promise<Person> {
    const account = await createAccount(server)
    const has = (id: Step['id']) => first.id === id || second?.id === id
    if (first.provider) {
      op.lies = { claims: { amr: first.provider.says, acr: 'phr' } }
      await createIdentity(server, account.id, op, providerOf(first))
    }
    const needsCodes = has('totp') || has('recovery-code')
    const given = async (id: Step['id'], uv: boolean) =>
      has(id) ? (await givePasskey(server, account, { flags: { uv } })).authenticator : undefined
    return {
      ...account,
      codes: needsCodes ? await enableMfa(server, account) : undefined,
      passkey: await given('passkey', true),
      securityKey: await given('security-key', false),
    }
  }

  async function codeFor({ id }: Step, { codes }: Person): Promise<string> {
    return (id === 'totp' ? await codes?.code() : codes?.recoveryCodes[0]) ?? ''
  }

  function keyFor({ id }: Step, { passkey, securityKey }: Person): Key {
    const key = id === 'passkey' ? passkey : securityKey
    if (!key) throw new Error(`no key for ${id}`)
    return key
  }

  async function firstOnPages(browser: Browser, step: Step, person: Person): Promise<void> {
    if (step.provider) await comeBy(browser, op, providerOf(step))
    else if (step.id === 'passkey') await showPasskey(browser, keyFor(step, person))
    else if (step.id === 'password') await enter(browser, person)
    else {
      const form = browser.page.form('/login')
      const action = new URL(form.action.href.replace(/login$/, 'send-code'))
      await browser.submit({ ...form, action }, { username: person.email })
      await browser.submit('/email-code', { code: await server.inbox.code(person.email) })
    }
  }

  async function secondOnPages(browser: Browser, step: Step, person: Person): Promise<void> {
    if (step.id === 'recovery-code')
      await browser.follow(`${browser.page.url.pathname}?method=recovery`)
    if (step.setting === 'passkey') await showPasskey(browser, keyFor(step, person))
    else await browser.submit('/mfa', { code: await codeFor(step, person) })
  }

  async function firstAtApi(step: Step, person: Person): Promise<ApiAnswer> {
    const { email, password } = person
    if (step.id === 'passkey') return passkeySignIn(server, keyFor(step, person))
    if (step.id === 'password') return api(server, 'POST /sign-in/email', { email, password })
    if (step.id === 'email-code') {
      const { tokenId } = (await api(server, 'POST /sign-in/code', { email })).body
      const code = await server.inbox.code(email)
      return api(server, 'POST /sign-in/code', { email, tokenId, code })
    }
    const browser = browse(server)
    const away = await browser.visit(await app.url(providerOf(step)), FROM_ELSEWHERE)
    const { url } = await browser.visit(await op.authorize(away.url), FROM_ELSEWHERE)
    return app.redeem(url.searchParams.get('code') ?? '')
  }

  async function secondAtApi(token: string, step: Step, person: Person): Promise<ApiAnswer> {
    if (step.setting !== 'passkey')
      return api(server, 'POST /sign-in/email', { token, code: await codeFor(step, person) })
    const { publicKey } = (await api(server, 'POST /sign-in/mfa/options', { token })).body
    const credential = keyFor(step, person).assert(publicKey)
    return api(server, 'POST /sign-in/mfa', { token, credential })
  }

  /** What the only session of an account says of its sign-in. */
  async function kept({ id }: Person) {
    return (await server.context.sessions.list(id)).map(({ amr, acr }) => ({ amr, acr }))
  }

  it.each(ROWS)('TF-10 on the pages: $name', async ({ first, has, shown }) => {
    const person = await personOf({ first, second: has })
    const made = { first, second: shown }
    const { amr, acr, isTwo, isPhr } = oracle(made)
    const browser = browse(server)
    await browser.visit(party.authorizationUrl())
    await firstOnPages(browser, first, person)
    if (shown) await secondOnPages(browser, shown, person)
    expect((await party.redeem(browser.page.url)).claims()).toMatchObject({ amr, acr })
    expect(await kept(person)).toEqual([{ amr, acr }])

    for (const asked of ASKED) {
      const wish = { prompt: 'none', ...(asked === '' ? {} : { acr_values: asked }) }
      const { url } = await browser.visit(party.authorizationUrl(wish))
      const error = url.searchParams.get('error')
      const told = error ?? (await party.redeem(url)).claims()?.acr
      const isMet = [true, isTwo, isPhr][demandedBy(asked)]
      expect([asked, told]).toEqual([
        asked,
        isMet ? oracle(made, asked).acr : 'unmet_authentication_requirements',
      ])
    }
  })

  it.each(ROWS)('TF-10 by the API: $name', async ({ first, has, shown }) => {
    const person = await personOf({ first, second: has })
    const { amr, acr } = oracle({ first, second: shown })
    let answer = await firstAtApi(first, person)
    if (shown) {
      expect(answer).toMatchObject({ status: 401, body: { error: 'mfa_required' } })
      expect(await kept(person)).toEqual([])
      answer = await secondAtApi(answer.body.token, shown, person)
    }
    expect(answer.status).toBe(200)
    expect(decodeJwt(answer.body.access_token)).toMatchObject({ acr })
    expect(await kept(person)).toEqual([{ amr, acr }])
  })
})
