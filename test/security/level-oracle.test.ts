import { describe, expect, it } from '@jest/globals'
import type { MfaChallenges } from '../../src/accounts/factors/challenges.ts'
import { amrOf, reaches } from '../../src/accounts/factors/levels.ts'
import type { Method } from '../../src/accounts/factors/method.ts'
import { METHODS } from '../../src/accounts/factors/methods/index.ts'
import {
  type ClientRules,
  createSignInPolicy,
  strongestLevel,
} from '../../src/accounts/factors/sign-in-policy.ts'
import { FirstStep } from '../../src/accounts/first-step.ts'
import type { KeepLinks } from '../../src/accounts/keep-links.ts'
import type { SignInRules } from '../../src/config/sign-in-rules.ts'
import { classesOf, demandedLevel, issuedAcr } from '../../src/oidc/acr.ts'
import { ORIGIN } from '../support/people.ts'

const [ONE, TWO, PHR] = ['urn:gatehouse:acr:1fa', 'urn:gatehouse:acr:2fa', 'phr']
type Id = Method['id']

/** What is written of each method apart from the code: things shown, `amr`, phishing, its setting. */
interface Row {
  readonly shows: number
  readonly amr: string
  readonly resists: boolean
  readonly setting?: string
}
const FIRST: Partial<Record<Id, Row>> = {
  password: { shows: 1, amr: 'pwd', resists: false, setting: 'password' },
  passkey: { shows: 2, amr: 'pop user', resists: true, setting: 'passkey' },
  'email-code': {
    shows: 1,
    amr: 'urn:gatehouse:amr:email',
    resists: false,
    setting: 'email-code',
  },
  upstream: { shows: 1, amr: 'urn:gatehouse:amr:upstream', resists: false },
}
const SECOND: Partial<Record<Id, Row>> = {
  totp: { shows: 1, amr: 'otp', resists: false, setting: 'totp' },
  'security-key': { shows: 1, amr: 'pop user', resists: true, setting: 'passkey' },
  passkey: { shows: 2, amr: 'pop user', resists: true, setting: 'passkey' },
  'recovery-code': { shows: 0, amr: '', resists: false },
}

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
const ASKED = ['', ONE, TWO, PHR, `${PHR} ${TWO}`, `${TWO} ${PHR}`, `${PHR} ${ONE}`, 'urn:other']

interface SignIn {
  readonly first: Id
  readonly second: Id | undefined
}
const SIGN_INS: SignIn[] = (Object.keys(FIRST) as Id[]).flatMap((first) =>
  [undefined, ...(Object.keys(SECOND) as Id[])].map((second) => ({ first, second })),
)
const methodOf = (id: Id): Method => METHODS.find((each) => each.id === id) as Method
const proofsOf = ({ first, second }: SignIn) =>
  [first, second].filter((id) => id !== undefined).map(methodOf)

/** What a sign-in amounts to: contracts, A7. */
function oracle({ first, second }: SignIn, asked: string) {
  const rows = [FIRST[first], second && SECOND[second]].filter((row) => row !== undefined)
  const isOnce = first === second
  const shown = isOnce
    ? (FIRST[first]?.shows ?? 0)
    : rows.reduce((sum, { shows }) => sum + shows, 0)
  const isTwo = shown > 1
  const isPhr = isTwo && rows.some(({ resists }) => resists)
  const words = new Set(rows.flatMap(({ amr }) => amr.split(' ')).filter(Boolean))
  if (isTwo) words.add('mfa')
  const held = isTwo ? (isPhr ? [TWO, PHR] : [TWO]) : [ONE]
  const acr = asked.split(' ').find((each) => held.includes(each)) ?? held[0]
  return { amr: [...words], acr, isTwo, isPhr }
}

/** What is demanded: 0 one factor, 1 two, 2 two that resist phishing. */
function demanded(operator: SignInRules, client: ClientRules, asked: string): number {
  const rank = { '1fa': 0, '2fa': 1, phr: 2 }
  const classes = asked.split(' ').filter(Boolean)
  const isDemand = classes.length > 0 && classes.every((each) => each === TWO || each === PHR)
  return Math.max(
    rank[operator.requiredLevel],
    client.require_mfa ? 1 : 0,
    rank[client.require_acr ?? '1fa'],
    isDemand ? (classes.includes(TWO) ? 1 : 2) : 0,
  )
}

describe('the level oracle', () => {
  it('TF-10 every sign-in says what it is, whatever the app asked for', () => {
    for (const signIn of SIGN_INS)
      for (const asked of ASKED) {
        const told = oracle(signIn, asked)
        const amr = amrOf(proofsOf(signIn))
        const acr = issuedAcr({ acr_values: asked }, classesOf(amr))
        expect({ ...signIn, asked, amr, acr }).toEqual({
          ...signIn,
          asked,
          amr: told.amr,
          acr: told.acr,
        })
      }
    expect(SIGN_INS.length * ASKED.length).toBe(160)
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
              wrong.push({ operator, client, asked, ...signIn, isEnough })
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
        for (const [id, { setting }] of Object.entries(FIRST) as [Id, Row][]) {
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
        for (const [id, { setting }] of Object.entries(SECOND) as [Id, Row][])
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
    for (const [id, { shows }] of Object.entries(FIRST) as [Id, Row][])
      for (const strongest of [0, 1, 2] as const) {
        const account = {
          id: 'a',
          email: 'ada@example.org',
          status: 'active',
          strongest,
          credentialVersion: 1,
        } as const
        const proof = { account, proofs: [methodOf(id)], binding: 'api', origin: ORIGIN }
        const { status } = await step.proceed(proof)
        expect([id, strongest, status]).toEqual([
          id,
          strongest,
          strongest === 2 && shows < 2 ? 'mfa_required' : 'signed_in',
        ])
      }
  })
})
