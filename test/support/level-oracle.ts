import type { Method } from '../../src/accounts/factors/method.ts'

export const [ONE, TWO, PHR] = ['urn:gatehouse:acr:1fa', 'urn:gatehouse:acr:2fa', 'phr']
const UPSTREAM = 'urn:gatehouse:amr:upstream'

/** What is written of each step apart from the code: things shown, `amr`, phishing, its setting. */
export interface Step {
  readonly name: string
  readonly id: Method['id']
  readonly shows: number
  readonly amr: string
  readonly resists: boolean
  readonly setting?: string
  /** Whether the provider is trusted to say how the person signed in there, and what it says. */
  readonly provider?: { readonly isTrusted: boolean; readonly says: readonly string[] }
}

function step(id: Step['id'], shows: number, amr: string, more: Partial<Step> = {}): Step {
  return { name: id, id, shows, amr, resists: false, ...more }
}

function provider(name: string, isTrusted: boolean, says: string, believed: Partial<Step>): Step {
  const untold = step('upstream', 1, UPSTREAM, {
    name,
    provider: { isTrusted, says: says.split(' ') },
  })
  return { ...untold, ...believed }
}

const PASSKEY = step('passkey', 2, 'pop user', { resists: true, setting: 'passkey' })

export const FIRST: readonly Step[] = [
  step('password', 1, 'pwd', { setting: 'password' }),
  PASSKEY,
  step('email-code', 1, 'urn:gatehouse:amr:email', { setting: 'email-code' }),
  provider('untrusted provider', false, 'pwd otp pop mfa', {}),
  provider('trusted provider, one factor', true, 'hwk pop', { amr: `${UPSTREAM} hwk` }),
  provider('trusted provider, two factors', true, 'pwd otp mfa', {
    shows: 2,
    amr: `${UPSTREAM} pwd otp`,
  }),
]
export const SECOND: readonly Step[] = [
  step('totp', 1, 'otp', { setting: 'totp' }),
  step('security-key', 1, 'pop user', { resists: true, setting: 'passkey' }),
  PASSKEY,
  step('recovery-code', 0, ''),
]
export const ASKED = [
  '',
  ONE,
  TWO,
  PHR,
  `${PHR} ${TWO}`,
  `${TWO} ${PHR}`,
  `${PHR} ${ONE}`,
  'urn:other',
]

export interface SignIn {
  readonly first: Step
  readonly second: Step | undefined
}
export const SIGN_INS: readonly SignIn[] = FIRST.flatMap((first) =>
  [undefined, ...SECOND].map((second) => ({ first, second })),
)

/** What a sign-in amounts to: contracts, A7. */
export function oracle({ first, second }: SignIn, asked = '') {
  const steps = second === undefined || second.id === first.id ? [first] : [first, second]
  const isTwo = steps.reduce((sum, { shows }) => sum + shows, 0) > 1
  const isPhr = isTwo && steps.some(({ resists }) => resists)
  const words = new Set(steps.flatMap(({ amr }) => amr.split(' ')).filter(Boolean))
  if (isTwo) words.add('mfa')
  const held = isTwo ? (isPhr ? [TWO, PHR] : [TWO]) : [ONE]
  const acr = asked.split(' ').find((each) => held.includes(each)) ?? held[0]
  return { amr: [...words], acr, isTwo, isPhr }
}

/** What a request demands: 0 one factor, 1 two, 2 two that resist phishing. */
export function demandedBy(asked: string): 0 | 1 | 2 {
  const classes = asked.split(' ').filter(Boolean)
  const isDemand = classes.length > 0 && classes.every((each) => each === TWO || each === PHR)
  if (!isDemand) return 0
  return classes.includes(TWO) ? 1 : 2
}
