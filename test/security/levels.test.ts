import { describe, expect, it } from '@jest/globals'
import {
  acrFor,
  amrAddedBy,
  amrOf,
  hasTakenSecondStep,
  isMultiFactor,
  levelOf,
  resistsPhishing,
} from '../../src/accounts/factors/levels.ts'
import type { Factor, Method, Proof } from '../../src/accounts/factors/method.ts'
import { firstStepOf, METHODS, methodsOf } from '../../src/accounts/factors/methods/index.ts'

const [ONE, TWO] = ['urn:gatehouse:acr:1fa', 'urn:gatehouse:acr:2fa']
const EMAIL = 'urn:gatehouse:amr:email'
const UPSTREAM = 'urn:gatehouse:amr:upstream'

function proof(factors: readonly Factor[], amr: string, resistsPhishing = false): Proof {
  return { factors, amr: amr.split(' ').filter(Boolean), resistsPhishing }
}

function methodOf(id: Method['id']): Method {
  const found = METHODS.find((method) => method.id === id)
  if (!found) throw new Error(`no method ${id}`)
  return found
}

const password = methodOf('password')
const totp = methodOf('totp')
const recoveryCode = methodOf('recovery-code')
const signUpCode = methodOf('sign-up-code')
const emailCode = methodOf('email-code')
const passkey = methodOf('passkey')
const key = methodOf('security-key')
const upstream = methodOf('upstream')
const trustedUpstream = proof(['knows', 'has'], `${UPSTREAM} pwd otp mfa`)

/** Written down apart from the code: what each sign-in amounts to. */
const ORACLE: [string, readonly Proof[], 1 | 2, boolean, string, string][] = [
  ['password', [password], 1, false, 'pwd', ONE],
  ['code of a sign-up', [signUpCode], 1, false, '', ONE],
  ['e-mail code', [emailCode], 1, false, EMAIL, ONE],
  ['password + TOTP', [password, totp], 2, false, 'pwd otp mfa', TWO],
  ['code of a sign-up + TOTP', [signUpCode, totp], 2, false, 'otp mfa', TWO],
  ['e-mail code + TOTP', [emailCode, totp], 2, false, `${EMAIL} otp mfa`, TWO],
  ['password + recovery code', [password, recoveryCode], 1, false, 'pwd', ONE],
  ['code of a sign-up + recovery code', [signUpCode, recoveryCode], 1, false, '', ONE],
  ['passkey', [passkey], 2, true, 'pop user mfa', TWO],
  ['password + key', [password, key], 2, true, 'pwd pop user mfa', TWO],
  ['e-mail code + key', [emailCode, key], 2, true, `${EMAIL} pop user mfa`, TWO],
  ['upstream, untrusted', [upstream], 1, false, UPSTREAM, ONE],
  ['upstream, untrusted + TOTP', [upstream, totp], 2, false, `${UPSTREAM} otp mfa`, TWO],
  ['upstream, trusted', [trustedUpstream], 2, false, `${UPSTREAM} pwd otp mfa`, TWO],
  ['recovery code alone', [recoveryCode], 1, false, '', ONE],
]

/** For each method: how many independent things it shows, its `amr`, whether it resists phishing. */
const SHOWS: Readonly<Record<Method['id'], [number, string, boolean]>> = {
  password: [1, 'pwd', false],
  passkey: [2, 'pop user', true],
  'email-code': [1, EMAIL, false],
  upstream: [1, UPSTREAM, false],
  'sign-up-code': [1, '', false],
  totp: [1, 'otp', false],
  'security-key': [1, 'pop user', true],
  'recovery-code': [0, '', false],
}

/** Every sign-in that the methods of today make: a first step alone, or with each second one. */
function signIns(): Method[][] {
  const of = (step: 'first' | 'second') => METHODS.filter(({ steps }) => steps.includes(step))
  return of('first').flatMap((first) => [[first], ...of('second').map((second) => [first, second])])
}

describe('levels', () => {
  it.each(ORACLE)('TF-10 %s', (_name, proofs, factors, resists, amr, acr) => {
    expect(levelOf(proofs)).toEqual({ factors, resistsPhishing: resists })
    expect(amrOf(proofs).join(' ')).toBe(amr)
    expect(acrFor(levelOf(proofs))).toBe(acr)
    expect(isMultiFactor(amrOf(proofs))).toBe(factors === 2)
  })

  it('TF-10 every sign-in that can be made amounts to what its steps show together', () => {
    const all = signIns()
    expect(all.length).toBeGreaterThan(20)
    for (const made of all) {
      const shows = [...new Set(made)].map(({ id }) => SHOWS[id])
      const isTwo = shows.reduce((sum, [count]) => sum + count, 0) > 1
      const amr = [...shows.flatMap(([, words]) => words.split(' ')), isTwo ? 'mfa' : '']
      const named = made.map(({ id }) => id).join(' + ')
      expect([named, amrOf(made)]).toEqual([named, [...new Set(amr)].filter(Boolean)])
      expect([named, levelOf(made)]).toEqual([
        named,
        { factors: isTwo ? 2 : 1, resistsPhishing: shows.some(([, , resists]) => resists) },
      ])
      expect([named, resistsPhishing(amrOf(made))]).toEqual([
        named,
        isTwo && shows.some(([, , resists]) => resists),
      ])
    }
  })

  it('what another provider says of its sign-in makes it no stronger than what is believed of it', () => {
    const told = { ...upstream, amr: [...upstream.amr, 'mfa', 'pop', 'pwd'] }
    expect(amrOf([told])).toEqual([UPSTREAM, 'pwd'])
    expect(amrOf([told, totp])).toEqual([UPSTREAM, 'pwd', 'otp', 'mfa'])
  })

  it('the same proof twice is one', () => {
    expect(levelOf([password, password]).factors).toBe(1)
    expect(levelOf([password, totp, totp])).toEqual(levelOf([password, totp]))
  })

  it('TF-10 TF-11 a recovery code takes the second step and adds no factor', () => {
    expect(signIns().filter((made) => hasTakenSecondStep(made))).toEqual(
      signIns().filter(([first, second]) => second !== undefined || first === passkey),
    )
  })

  it('a second factor shown later adds to a session what it would have brought at once', () => {
    expect([...amrOf([password]), ...amrAddedBy(totp)]).toEqual(amrOf([password, totp]))
  })

  it('the first step that the version before kept is found by its amr', () => {
    expect([firstStepOf(['pwd']), firstStepOf([])]).toEqual([password, signUpCode])
    expect(firstStepOf(['fpt'])).toBeUndefined()
  })

  it('what is kept between two steps is found by its names, all of them or none', () => {
    for (const method of METHODS) expect(methodsOf([method.id])).toEqual([method])
    expect([methodsOf(['password', 'palm']), methodsOf([])]).toEqual([undefined, []])
  })

  it.each(METHODS)('the method $id says what it is', (method) => {
    expect(method.steps.length).toBeGreaterThan(0)
    expect(new Set(METHODS.map(({ id }) => id)).size).toBe(METHODS.length)
    expect(method.amr).not.toContain('mfa')
  })
})
