import { describe, expect, it } from '@jest/globals'
import {
  acrFor,
  amrAddedBy,
  amrOf,
  hasTakenSecondStep,
  isMultiFactor,
  levelOf,
} from '../../src/accounts/factors/levels.ts'
import type { Factor, Method, Proof } from '../../src/accounts/factors/method.ts'
import { firstStepOf, METHODS } from '../../src/accounts/factors/methods/index.ts'

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
/** Methods that are not there yet: levels take them as they come. */
const emailCode = proof(['has'], EMAIL)
const passkey = proof(['has', 'is'], 'pop user', true)
const key = proof(['has'], 'pop user', true)
const upstream = proof(['knows'], UPSTREAM)
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

/** Every sign-in that the methods of today make: a first step alone, or with each second one. */
function signIns(): Method[][] {
  const of = (step: 'first' | 'second') => METHODS.filter(({ steps }) => steps.includes(step))
  return of('first').flatMap((first) => [[first], ...of('second').map((second) => [first, second])])
}

describe('levels', () => {
  it.each(ORACLE)('TF-10 %s', (_name, proofs, factors, resistsPhishing, amr, acr) => {
    expect(levelOf(proofs)).toEqual({ factors, resistsPhishing })
    expect(amrOf(proofs).join(' ')).toBe(amr)
    expect(acrFor(levelOf(proofs))).toBe(acr)
    expect(isMultiFactor(amrOf(proofs))).toBe(factors === 2)
  })

  it('the table above has every sign-in that can be made today', () => {
    const known = ORACLE.map(([, proofs]) => proofs)
    const isKnown = (made: readonly Proof[]) =>
      known.some((proofs) => proofs.length === made.length && proofs.every((p, i) => p === made[i]))
    expect(signIns().length).toBeGreaterThan(3)
    expect(signIns().filter((made) => !isKnown(made))).toEqual([])
  })

  it('the same proof twice is one', () => {
    expect(levelOf([password, password]).factors).toBe(1)
    expect(levelOf([password, totp, totp])).toEqual(levelOf([password, totp]))
  })

  it('TF-10 TF-11 a recovery code takes the second step and adds no factor', () => {
    expect(signIns().filter((made) => hasTakenSecondStep(made))).toEqual(
      signIns().filter(({ length }) => length === 2),
    )
    expect([hasTakenSecondStep([passkey]), hasTakenSecondStep([upstream])]).toEqual([true, false])
  })

  it('a second factor shown later adds to a session what it would have brought at once', () => {
    expect([...amrOf([password]), ...amrAddedBy(totp)]).toEqual(amrOf([password, totp]))
  })

  it('the first step that an interaction keeps is found by its amr', () => {
    for (const method of METHODS.filter(({ steps }) => steps.includes('first')))
      expect(firstStepOf(amrOf([method]))).toBe(method)
    expect(firstStepOf(['fpt'])).toBeUndefined()
  })

  it.each(METHODS)('the method $id says what it is', (method) => {
    expect(method.steps.length).toBeGreaterThan(0)
    expect(new Set(METHODS.map(({ id }) => id)).size).toBe(METHODS.length)
    expect(method.amr).not.toContain('mfa')
  })
})
