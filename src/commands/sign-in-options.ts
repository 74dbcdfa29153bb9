import type { ClientInput } from '../clients/registration.ts'
import { REGISTRATION_MODES } from '../config/registration-modes.ts'
import { FIRST_METHODS, LEVELS } from '../config/sign-in-words.ts'
import type { FieldOption } from './field-option.ts'

/** Of a client: how people sign in to it, and what they let it do. */
export const SIGN_IN_OPTIONS: Readonly<Partial<Record<keyof ClientInput, FieldOption>>> = {
  isFirstParty: {
    flags: '--first-party',
    says: "the operator's own app: people are not asked for consent",
  },
  accountApi: {
    flags: '--account-api',
    says: 'people may let it manage their account with tokens for <issuer>/api/auth',
  },
  nativeApps: {
    flags: '--native-app <app...>',
    says: 'its apps on phones, which may use passkeys of this server: TEAMID.bundle.id, or package=AA:BB:… with the SHA-256 fingerprints of its certificates',
    read: (apps: readonly string[]) => apps.map(nativeApp),
  },
  registration: {
    flags: '--registration <who>',
    says: 'who may make an account on its pages, if fewer than the server admits (default: open)',
    choices: REGISTRATION_MODES,
  },
  requireMfa: { flags: '--require-mfa', says: 'the older name of --require-acr 2fa' },
  requireAcr: {
    flags: '--require-acr <level>',
    says: 'what a sign-in to it must reach: two factors, or phr, a passkey',
    choices: ['2fa', 'phr'],
  },
  defaultAcrValues: {
    flags: '--default-acr <level...>',
    says: 'what it asks for where a request has no acr_values, by preference',
    choices: LEVELS,
  },
  signInMethods: {
    flags: '--sign-in-method <method...>',
    says: 'the ways in that it takes, of SIGN_IN_METHODS (default: all of them)',
    choices: FIRST_METHODS,
  },
  providers: {
    flags: '--provider <id...>',
    says: 'the other providers that it takes people from (default: all), or none',
    read: (ids: readonly string[]) => (ids.join() === 'none' ? [] : ids),
  },
}

/** Android's have certificates, several of them separated by commas; Apple's have one name. */
function nativeApp(typed: string): unknown {
  const [name = '', fingerprints] = typed.split('=')
  if (fingerprints === undefined) return { ios_app_id: name }
  return { android_package: name, sha256_cert_fingerprints: fingerprints.toUpperCase().split(',') }
}
