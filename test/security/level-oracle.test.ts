import { describe, expect, it } from '@jest/globals'
import type { MfaChallenges } from '../../src/accounts/factors/challenges.ts'
import { amrOf, reaches } from '../../src/accounts/factors/levels.ts'
import type { Method } from '../../src/accounts/factors/method.ts'
import { METHODS } from '../../src/accounts/factors/methods/index.ts'
import { upstreamProof } from '../../src/accounts/factors/methods/upstream.ts'
import {
  type ClientRules,
  createSignInPolicy,
  strongestLevel,
} from '../../src/accounts/factors/sign-in-policy.ts'
import { FirstStep } from '../../src/accounts/first-step.ts'
import type { KeepLinks } from '../../src/accounts/keep-links.ts'
import type { SignInRules } from '../../src/config/sign-in-rules.ts'
import { classesOf, demandedLevel, issuedAcr } from '../../src/oidc/acr.ts'
import {
  ASKED,
  demandedBy,
  FIRST,
  oracle,
  SECOND,
  SIGN_INS,
  type SignIn,
  type Step,
} from '../support/level-oracle.ts'
import { ORIGIN } from '../support/people.ts'

const subsets = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_each, at) => bits & (1 << at)))

const OPERATORS: SignInRules[] = subsets(['password', 'passkey', 'email-code'] as const)
  .filter(({ length }) => length > 0)
  .flatMap((methods) =>
    subsets(['totp', 'passkey'] as const).flatMap((secondFactors) =>
      (['1fa', '2fa', 'phr'] as const).map((requiredLevel) => ({
        methods,
        secondFactors,
        requiredLevel,
        trustedDeviceDays: 0,
      })),
    ),
  )
const CLIENTS: ClientRules[] = [
  {},
  { require_mfa: true },
  { require_acr: '2fa' },
  { require_acr: 'phr' },
  { sign_in_methods: ['passkey'] },
  { sign_in_methods: ['password', 'email-code'], require_mfa: true },
]

function methodOf({ id, provider }: Step): Method {
  if (provider?.isTrusted) return upstreamProof(provider.says)
  return METHODS.find((each) => each.id === id) as Method
}
const proofsOf = ({ first, second }: SignIn) => [first, ...(second ? [second] : [])].map(methodOf)
const named = ({ first, second }: SignIn) => `${first.name} + ${second?.name}`

/** What is demanded: 0 one factor, 1 two, 2 two that resist phishing. */
function demanded(operator: SignInRules, client: ClientRules, asked: string): number {
  const rank = { '1fa': 0, '2fa': 1, phr: 2 }
  return Math.max(
    rank[operator.requiredLevel],
    client.require_mfa ? 1 : 0,
    rank[client.require_acr ?? '1fa'],
    demandedBy(asked),
  )
}

describe('the level oracle', () => {
  it('TF-10 every sign-in says what it is, whatever the app asked for', () => {
    for (const signIn of SIGN_INS)
      for (const asked of ASKED) {
        const { amr, acr } = oracle(signIn, asked)
        const said = amrOf(proofsOf(signIn))
        const issued = issuedAcr({ acr_values: asked }, classesOf(said))
        expect([named(signIn), asked, said, issued]).toEqual([named(signIn), asked, amr, acr])
      }
    expect(SIGN_INS.length * ASKED.length).toBe(240)
  })

  it('TF-11 what the operator, the app and its request demand is reached by no lesser sign-in', () => {
    let count = 0
    const wrong: unknown[] = []
    for (const operator of OPERATORS)
      for (const client of CLIENTS)
        for (const asked of ASKED) {
          const level = strongestLevel(
            createSignInPolicy(operator).levelFor(client),
            demandedLevel({ acr_values: asked }),
          )
          for (const signIn of SIGN_INS) {
            const { isTwo, isPhr } = oracle(signIn, asked)
            const isSecondTaken = isTwo || signIn.second !== undefined
            const isEnough = [true, isSecondTaken, isPhr][demanded(operator, client, asked)]
            if (reaches(proofsOf(signIn), level) !== isEnough)
              wrong.push({ operator, client, asked, signIn: named(signIn), isEnough })
            count++
          }
        }
    expect(wrong).toEqual([])
    expect(count).toBe(OPERATORS.length * CLIENTS.length * ASKED.length * SIGN_INS.length)
  })

  it('what is offered is what the operator and the app both name', () => {
    for (const operator of OPERATORS)
      for (const client of CLIENTS) {
        const policy = createSignInPolicy(operator)
        for (const { id, setting } of FIRST) {
          const isNamed =
            setting === undefined ||
            (operator.methods.some((each) => each === setting) &&
              (client.sign_in_methods ?? [setting]).includes(setting))
          expect([operator, client, id, policy.offers(id, client, 'first')]).toEqual([
            operator,
            client,
            id,
            isNamed,
          ])
        }
        for (const { id, setting } of SECOND)
          expect([operator, id, policy.offers(id, client, 'second')]).toEqual([
            operator,
            id,
            setting === undefined || operator.secondFactors.some((each) => each === setting),
          ])
      }
  })

  it('TF-06 an account of two factors is signed in to by no first step of one', async () => {
    const challenges = {
      issue: async () => ({ challenge: 'c', expiresInSeconds: 1 }),
    } as unknown as MfaChallenges
    const step = new FirstStep({
      audit: { record: () => undefined } as never,
      challenges,
      keepLinks: undefined as unknown as KeepLinks,
      trustedDevices: { find: async () => undefined } as never,
    })
    for (const first of FIRST)
      for (const strongest of [0, 1, 2] as const) {
        const account = {
          id: 'a',
          email: 'ada@example.org',
          status: 'active',
          strongest,
          credentialVersion: 1,
        } as const
        const proof = { account, proofs: [methodOf(first)], binding: 'api', origin: ORIGIN }
        const { status } = await step.proceed(proof)
        expect([first.name, strongest, status]).toEqual([
          first.name,
          strongest,
          strongest === 2 && first.shows < 2 ? 'mfa_required' : 'signed_in',
        ])
      }
  })
})
