import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EMAIL_CODE } from '../../src/accounts/factors/methods/email-code.ts'
import { PASSKEY } from '../../src/accounts/factors/methods/passkey.ts'
import type { PASSWORD } from '../../src/accounts/factors/methods/password.ts'
import { createSignInPolicy } from '../../src/accounts/factors/sign-in-policy.ts'
import { ensureWayStays, recount } from '../../src/accounts/factors/ways.ts'
import { readEnv } from '../../src/config/env.ts'
import { signInRules } from '../../src/config/sign-in-rules.ts'
import { Account } from '../../src/entities/index.ts'
import { createAccount } from '../support/factories.ts'
import { enableMfa } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const ORIGIN = { ip: '192.0.2.1', userAgent: '', requestId: 'test' }
const policyOf = (settings: Record<string, string> = {}) =>
  createSignInPolicy(signInRules(readEnv(settings)))

describe('what the operator says of signing in', () => {
  it('is passwords and passkeys, and one factor, unless told otherwise', () => {
    const policy = policyOf()
    const offered = (['password', 'passkey', 'email-code'] as const).filter((id) =>
      policy.offers(id),
    )
    expect([offered, policy.requiredLevel]).toEqual([['password', 'passkey'], '1fa'])
    expect(policy.levelFor({})).toBe('1fa')
    expect(policy.levelFor({ require_mfa: true })).toBe('2fa')
    expect(policy.levelFor({ require_mfa: true, require_acr: 'phr' })).toBe('phr')
    expect(policyOf({ REQUIRE_LEVEL: 'phr' }).levelFor({ require_acr: '2fa' })).toBe('phr')
  })

  it('TF-11 REQUIRE_MFA is the older name of REQUIRE_LEVEL=2fa, and both may say so', () => {
    expect(policyOf({ REQUIRE_MFA: 'true' }).requiredLevel).toBe('2fa')
    expect(policyOf({ REQUIRE_MFA: 'false' }).requiredLevel).toBe('1fa')
    expect(policyOf({ REQUIRE_MFA: 'true', REQUIRE_LEVEL: '2fa' }).requiredLevel).toBe('2fa')
    expect(policyOf({ REQUIRE_LEVEL: 'phr' }).isStrict).toBe(true)
  })

  it('no passkey is offered where the issuer is an address: browsers make none there', () => {
    for (const issuer of ['http://127.0.0.1:3000', 'http://[::1]:3000']) {
      const policy = policyOf({ ISSUER: issuer })
      expect([policy.offers('passkey'), policy.offers('security-key')]).toEqual([false, false])
      expect([policy.offers('password'), policy.offers('totp')]).toEqual([true, true])
    }
    expect(policyOf({ ISSUER: 'http://localhost:3000' }).offers('passkey')).toBe(true)
  })

  it('a way in that is off may still be a second step, and the other way round', () => {
    const policy = policyOf({ SIGN_IN_METHODS: 'password', SECOND_FACTORS: 'passkey' })
    expect([policy.offers('passkey'), policy.offers('passkey', {}, 'second')]).toEqual([
      false,
      true,
    ])
    expect([policy.offers('security-key'), policy.offers('totp')]).toEqual([true, false])
    expect(policyOf({ SECOND_FACTORS: 'none' }).offers('security-key')).toBe(false)
  })

  it('an app takes some of the ways in, and never one that the operator does not offer', () => {
    const policy = policyOf({ SIGN_IN_METHODS: 'password,passkey' })
    const client = { sign_in_methods: ['passkey', 'email-code'] }
    expect(policy.offers('passkey', client)).toBe(true)
    expect([policy.offers('password', client), policy.offers('email-code', client)]).toEqual([
      false,
      false,
    ])
    expect(policy.offers('totp', client)).toBe(true)
  })
})

describe('what an account signs in with', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  /** Takes the password away, as a use case that removes a method would. */
  async function removePassword(id: string, settings: Record<string, string> = {}) {
    await server.context.database.em.fork().transactional(async (tx) => {
      await tx.nativeUpdate(Account, { id }, { passwordHash: null })
      await ensureWayStays(tx, id, policyOf(settings))
      await recount(tx, id)
    })
  }
  const hashOf = async (id: string) =>
    (
      await server.context.database.em
        .fork()
        .findOneOrFail(Account, { id }, { populate: ['passwordHash'] })
    ).passwordHash

  it('the last way in stays, and what removes it is undone', async () => {
    const { id } = await createAccount(server)
    await expect(removePassword(id)).rejects.toMatchObject({ code: 'last_way_in', status: 409 })
    expect(await hashOf(id)).toMatch(/^\$/)
  })

  it('a way in that the operator does not offer is none', async () => {
    const { id } = await createAccount(server)
    await removePassword(id, { SIGN_IN_METHODS: 'email-code' })
    expect(await hashOf(id)).toBeNull()
  })

  it('an app for codes is not set up where the operator offers none', async () => {
    const strict = await startServer({ signIn: { secondFactors: ['passkey'] } })
    try {
      const account = await createAccount(strict)
      await expect(strict.context.mfa.enrol(account)).rejects.toMatchObject({
        code: 'method_not_offered',
      })
    } finally {
      await strict.stop()
    }
  })

  it('TF-11 where two factors are demanded, an account that had two keeps two', async () => {
    const account = await createAccount(server)
    await enableMfa(server, account)
    const remove = (settings: Record<string, string>) =>
      server.context.database.em.fork().transactional(async (tx) => {
        await tx.execute('delete from "totp_credential" where "account_id" = ?', [account.id])
        await ensureWayStays(tx, account.id, policyOf(settings))
      })
    await expect(remove({ REQUIRE_LEVEL: '2fa' })).rejects.toMatchObject({ code: 'last_way_in' })
    await remove({})
  })

  it('the proofs of the first step go with the challenge, and a passkey takes no second step', async () => {
    const person = await createAccount(server)
    const authenticator = await enableMfa(server, person)
    const { firstStep, secondStep, database } = server.context
    const account = await database.em.fork().findOneOrFail(Account, { id: person.id })
    const proceed = (proof: typeof PASSWORD) =>
      firstStep.proceed({ account, proofs: [proof], binding: 'api', origin: ORIGIN })

    expect(await proceed(PASSKEY)).toMatchObject({ status: 'signed_in', proofs: [PASSKEY] })
    const outcome = await proceed(EMAIL_CODE)
    if (outcome.status !== 'mfa_required') throw new Error(outcome.status)
    const { challenge } = outcome
    const answer = { challenge, binding: 'api', code: await authenticator.code() }
    const { proofs } = await secondStep.answer(answer, ORIGIN, async (proven) => proven)
    expect(proofs.map(({ id }) => id)).toEqual(['email-code', 'totp'])
  })
})
