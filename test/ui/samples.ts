import { STANDARD_ATTRIBUTES } from '../../src/accounts/attributes/standard.ts'
import { fieldsOf } from '../../src/http/pages/account/profile-fields.ts'
import type {
  MailModels,
  MailName,
  PageContext,
  PageModels,
  PageName,
  PasskeyItem,
  SecurityNotice,
} from '../../src/views/views.ts'
import { SECURITY_NOTICES } from '../../src/views/views.ts'
import { WALKED } from './languages.ts'
import {
  connectionsPages,
  FEW,
  MANY,
  UPSTREAM_NOTICES,
  UPSTREAM_PAGES,
} from './upstream-samples.ts'

/**
 * Models of every page and mail, plain and in trouble: for the gallery one looks at, and for the
 * tests that read all of them.
 */
type Samples<Models> = {
  readonly [Name in keyof Models]: { readonly [variant: string]: Models[Name] }
}

const DAY = 86_400_000
const form = (action: string) => ({ action, csrf: 'csrf-token' })
const ago = (ms: number): Date => new Date(Date.now() - ms)
const person = { name: 'Ada Lovelace', email: 'ada@example.org' }
const area = { person, signOut: form('/session/end') }
const resend = { ...form('/interaction/abc/resend'), availableInSeconds: 30 }
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0'
const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1'

/** As long as a stranger may make them, without a place to break. */
const LONG = {
  name: 'Wolfeschlegelsteinhausenbergerdorff'.repeat(3).slice(0, 100),
  email: `${'x'.repeat(64)}@${'subdomain-of-a-very-long-host.'.repeat(5)}example.org`,
  host: `${'a-very-long-label-of-a-host-name.'.repeat(6)}example.org`,
}

/** One pixel, drawn as large as a tile. */
const LOGO =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const leave = form('/interaction/abc/leave')
const terms = { version: '2026-11', url: 'https://example.org/terms', isTicked: false }
const newTerms = { ...form('/interaction/abc/terms'), person, terms, decline: form('/decline') }
const passkey = {
  ...form('/interaction/abc/passkey'),
  hidden: { remember: '' },
  options: {
    challenge: 'Y2hhbGxlbmdl',
    rpId: 'id.example.org',
    userVerification: 'required',
    allowCredentials: [],
  },
}
const login = {
  ...form('/interaction/abc/login'),
  leave,
  email: '',
  asksPassword: true,
  signUpHref: '/interaction/abc/sign-up',
  forgotHref: '/forgot',
  recoverHref: '/recover',
}
const signUp = {
  ...form('/interaction/abc/sign-up'),
  trap: { shown: 'signed' },
  ways: { password: true, passkey: true, code: false },
  leave,
  registration: { mode: 'open' as const },
  name: '',
  email: '',
  signInHref: '/interaction/abc/login',
}
const finish = {
  ...form('/verify-email'),
  email: person.email,
  asksPassword: true,
  hidden: { token: 'secret' },
}
const verify = {
  ...form('/interaction/abc/verify-email'),
  leave,
  email: person.email,
  resend,
  startOverHref: '/interaction/abc/sign-up',
}
const consent = {
  ...form('/interaction/abc/consent'),
  person,
  scopes: ['openid', 'profile', 'email', 'offline_access'].map((scope) => ({
    scope,
    isNew: false,
  })),
  claims: [],
  apis: [],
  destination: { kind: 'https' as const, host: 'app.acme.example' },
  isOffline: true,
  lifetimeSeconds: 30 * 86_400,
  revokeHref: '/account/apps',
  switchAccount: form('/interaction/abc/switch-account'),
  policyUrl: 'https://acme.example/privacy',
  termsUrl: 'https://acme.example/terms',
}
const mfa = {
  ...form('/interaction/abc/mfa'),
  leave,
  email: person.email,
  otherMethods: [{ method: 'recovery' as const, href: '?method=recovery' }],
  startOverHref: '/interaction/abc/login',
}
const created = {
  ...form('/account/passkeys/new'),
  options: {
    challenge: 'Y2hhbGxlbmdl',
    rp: { id: 'id.example.org', name: 'Acme' },
    user: { id: 'AAAA', name: person.email, displayName: person.name },
    pubKeyCredParams: [],
  },
}
const item = (given: Partial<PasskeyItem>): PasskeyItem => ({
  id: '1',
  isSecurityKey: false,
  isSynced: false,
  createdAt: ago(20 * DAY),
  renameAction: '/account/passkeys/1/rename',
  removeAction: '/account/passkeys/1/remove',
  ...given,
})
const codes = Array.from({ length: 10 }, (_, index) => `${index}K7Q-2M9X-RT4W-8HZ${index}`)
const key = {
  secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
  otpauthUri:
    'otpauth://totp/Gatehouse:ada@example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Gatehouse',
}
const enrol = {
  ...form('/interaction/abc/mfa-enrol'),
  leave,
  ...key,
  startOverHref: '/interaction/abc/login',
}
const reset = {
  ...form('/reset-password'),
  email: person.email,
  asksCode: true,
  resend,
  startOverHref: '/forgot',
}
const overview = {
  ...area,
  emailVerified: true,
  ways: { password: 'used' as const, passkeys: 'used' as const, totp: 'used' as const },
  passkeyCount: 2,
  recoveryCodesLeft: 8,
  passwordChangedAt: ago(40 * DAY),
  sessionCount: 3,
  appCount: 1,
}
const profile = {
  ...area,
  ...form('/account/profile'),
  name: person.name,
  imageUrl: '',
  phoneNumber: '+44 20 7946 0000',
}
const session = {
  door: 'pages' as const,
  createdAt: ago(3 * DAY),
  lastSeenAt: ago(120_000),
  ip: '2001:db8::7',
  isCurrent: false,
}
const sessions = {
  ...area,
  csrf: 'csrf-token',
  endAction: '/account/sessions/end',
  endOthersAction: '/account/sessions/end-others',
  distrustAction: '/account/sessions/distrust',
  trusted: [],
}
const event = {
  outcome: 'success' as const,
  at: ago(7_200_000),
  userAgent: FIREFOX,
  ip: '192.0.2.4',
}
const link = form('/verify')

const recoverCode = {
  ...form('/recover/code'),
  email: person.email,
  resend: { ...form('/recover/resend'), availableInSeconds: 30 },
  startOverHref: '/recover',
}
const recoverNext = { ...form('/recover/next'), email: person.email, holdHours: 24 }

export const PAGES: Samples<PageModels> = {
  'interaction/login': {
    plain: login,
    passkey: { ...login, passkey },
    unknown: {
      ...login,
      passkey,
      problems: { code: 'passkey_unknown' },
      signal: { signalUnknownCredential: { rpId: 'id.example.org', credentialId: 'AAAA' } },
    },
    passkeyOnly: { ...login, asksPassword: false, forgotHref: undefined, passkey },
    hint: { ...login, email: person.email, remember: true },
    wrong: { ...login, email: person.email, problems: { code: 'invalid_credentials' } },
    providers: { ...login, providers: FEW },
    manyProviders: { ...login, providers: MANY, codeAction: '/interaction/abc/send-code' },
    ...Object.fromEntries(
      Object.entries(UPSTREAM_NOTICES).map(([kind, upstream]) => [
        `upstream-${kind}`,
        { ...login, upstream, providers: FEW },
      ]),
    ),
    codes: { ...login, codeAction: '/interaction/abc/send-code' },
    codesOnly: { ...login, asksPassword: false, codeAction: '/interaction/abc/send-code' },
    spaced: {
      ...login,
      email: 'ada @example.org',
      problems: { code: 'invalid_input', fields: { username: 'has_spaces', password: 'required' } },
    },
    limited: {
      ...login,
      email: person.email,
      problems: { code: 'too_many_requests', retryAfterSeconds: 30 },
    },
    again: {
      ...login,
      email: person.email,
      isReauthentication: true,
      otherAccountHref: '?account=other',
      notice: 'saved',
    },
    againAny: { ...login, email: person.email, isReauthentication: true, passkey },
    againPasskey: {
      ...login,
      email: person.email,
      isReauthentication: true,
      asksPassword: false,
      forgotHref: undefined,
      passkey,
    },
  },
  'interaction/email-code': {
    plain: { ...verify, action: '/interaction/abc/email-code' },
    wrong: { ...verify, problems: { code: 'invalid_code' } },
  },
  'interaction/sign-up': {
    plain: signUp,
    works: { ...signUp, trap: { shown: 'signed', work: { challenge: 'signed', rounds: 2000 } } },
    passkeyOnly: { ...signUp, ways: { password: false, passkey: true, code: false } },
    codeOnly: { ...signUp, ways: { password: false, passkey: false, code: true } },
    passkeyOrCode: { ...signUp, ways: { password: false, passkey: true, code: true } },
    providersOnly: {
      ...signUp,
      ways: { password: false, passkey: false, code: false },
      providers: FEW,
    },
    domains: {
      ...signUp,
      registration: { mode: 'domains', domains: ['example.org', LONG.host] },
      problems: { code: 'registration_closed' },
    },
    someDomains: { ...signUp, registration: { mode: 'domains' } },
    invite: { ...signUp, registration: { mode: 'invite' } },
    closed: { ...signUp, registration: { mode: 'closed' } },
    terms: {
      ...signUp,
      terms,
      problems: { code: 'invalid_input', fields: { terms: 'required' } },
    },
    providers: { ...signUp, providers: FEW },
    invited: { ...signUp, registration: { mode: 'open', invited: person.email, isFixed: true } },
    invitedOther: {
      ...signUp,
      registration: { mode: 'open', invited: 'a•••@example.org' },
      problems: { code: 'invalid_input', fields: { email: 'not_invited' } },
    },
    wrong: {
      ...signUp,
      name: 'A',
      email: 'ada',
      problems: {
        code: 'invalid_input',
        fields: { name: 'invalid_name', email: 'invalid_email', password: 'too_short' },
      },
    },
    common: {
      ...signUp,
      name: 'Ada',
      email: person.email,
      problems: { code: 'password_rejected', fields: { password: 'too_common' } },
    },
  },
  'interaction/verify-email': {
    plain: verify,
    wrong: { ...verify, problems: { code: 'invalid_code' } },
    resent: { ...verify, notice: 'code_sent' },
    long: { ...verify, email: LONG.email },
  },
  'interaction/consent': {
    plain: consent,
    program: { ...consent, destination: { kind: 'loopback', host: '127.0.0.1:51004' } },
    network: { ...consent, destination: { kind: 'private', host: '192.168.1.5:8080' } },
    app: { ...consent, destination: { kind: 'scheme', host: 'com.acme.app:' } },
    api: {
      ...consent,
      isOffline: false,
      scopes: [
        { scope: 'email', isNew: false },
        { scope: 'phone', isNew: true },
        { scope: 'address', isNew: true },
      ],
      claims: [
        { claim: 'name', isNew: false },
        { claim: 'birthdate', isNew: true },
        { claim: 'phone_number_verified', isNew: true },
      ],
      apis: [
        {
          name: 'Acme Books',
          identifier: 'https://api.acme.example',
          scopes: [
            { scope: 'invoices:send', description: 'Send invoices', isNew: true },
            { scope: 'invoices:read', isNew: true },
          ],
        },
        {
          name: 'Timesheets',
          identifier: 'urn:acme:time',
          scopes: [{ scope: 'time:read', description: 'See your timesheets', isNew: false }],
        },
      ],
    },
    long: {
      ...consent,
      person: LONG,
      scopes: [],
      apis: [
        {
          name: LONG.name,
          identifier: `https://${LONG.host}`,
          scopes: [
            { scope: 'read'.repeat(25), isNew: true },
            { scope: 'read', description: LONG.name, isNew: true },
          ],
        },
      ],
      destination: { kind: 'https', host: LONG.host },
    },
  },
  'interaction/select-account': {
    plain: { ...form('/interaction/abc/select-account'), person, leave },
    long: { ...form('/interaction/abc/select-account'), person: LONG },
  },
  'interaction/mfa-enrol': {
    plain: enrol,
    wrong: { ...enrol, problems: { code: 'invalid_code' } },
    replaced: { ...enrol, problems: { code: 'mfa_setup_replaced' } },
    orPasskey: { ...enrol, passkeyHref: '/interaction/abc/passkey-offer' },
  },
  'interaction/recovery-codes': {
    fresh: { ...form('/interaction/abc/recovery-codes'), codes },
    shown: form('/interaction/abc/recovery-codes'),
  },
  'interaction/terms': {
    plain: { ...newTerms, isOwnArea: false },
    ownArea: { ...newTerms, isOwnArea: true },
    wrong: {
      ...newTerms,
      isOwnArea: false,
      problems: { code: 'invalid_input', fields: { terms: 'required' } },
    },
  },
  'interaction/passkey-offer': {
    first: { reason: 'first', passkey: created, leave, passwordHref: '/forgot-password' },
    firstOnly: { reason: 'first', passkey: created, leave },
    plain: { reason: 'offer', passkey: created, leave, decline: form('/decline') },
    required: { reason: 'required', passkey: created, leave },
    second: { reason: 'second', passkey: created, leave, appHref: '/interaction/abc/mfa-enrol' },
    refused: {
      reason: 'required',
      passkey: created,
      leave,
      problems: { code: 'passkey_refused' },
    },
  },
  'interaction/mfa': {
    plain: { ...mfa, method: 'totp' },
    wrong: { ...mfa, method: 'totp', problems: { code: 'invalid_code' } },
    recovery: {
      ...mfa,
      method: 'recovery',
      otherMethods: [
        { method: 'passkey', href: '?method=passkey' },
        { method: 'totp', href: '?method=totp' },
      ],
    },
    both: { ...mfa, method: 'totp', passkey, trust: { days: 30, isChosen: false } },
    passkey: { ...mfa, method: 'passkey', passkey, trust: { days: 30, isChosen: true } },
  },
  'pages/error': {
    notFound: {
      code: 'not_found',
      requestId: '0199f0c2-6d3a-7e51',
      wayOn: { href: '/', label: 'account' },
    },
    expired: {
      code: 'interaction_expired',
      requestId: '0199f0c2',
      wayOn: { href: '/account', label: 'account' },
    },
    again: {
      code: 'interaction_expired',
      requestId: '0199f0c2',
      wayOn: { href: '/auth?client_id=plant', label: 'start_again' },
    },
    limited: { code: 'too_many_requests', requestId: '0199f0c2', retryAfterSeconds: 300 },
    protocol: {
      code: 'invalid_input',
      requestId: '0199f0c2',
      protocol: {
        error: 'invalid_redirect_uri',
        description: "redirect_uri did not match any of the client's registered redirect_uris",
      },
    },
  },
  'pages/signed-out': { plain: {}, signIn: { signInHref: '/login' } },
  'pages/sign-out': {
    plain: { form: { action: '/session/end/confirm', fields: { xsrf: 'x' } }, person },
  },
  'pages/form-post': {
    plain: { form: { action: 'https://acme.example/cb', fields: { code: 'abc', state: 'xyz' } } },
  },
  'pages/leaving': {
    plain: { href: 'https://acme.example/cb?code=abc', isToProgram: false },
    program: { href: 'com.acme.app:/cb?code=abc', isToProgram: true },
    provider: { href: 'https://op.example/auth?state=x', isToProgram: false, provider: 'Google' },
  },
  'pages/api-docs': {
    plain: {
      title: 'Gatehouse account API',
      documentHref: '/api/openapi.json',
      baseUrl: 'https://id.example.org/api/auth',
      families: [
        {
          name: 'Sign-in',
          operations: [
            {
              id: 'signIn',
              method: 'POST',
              path: '/api/auth/sign-in/email',
              summary: 'Sign in',
              description: 'With two-step sign-in on, a second call brings a code.',
              guard: 'Only without a valid access token.',
              calls: [
                {
                  title: 'First call',
                  fields: [{ name: 'email', type: 'string', description: 'An e-mail address.' }],
                  curl: `curl https://id.example.org/api/auth/sign-in/email \\\n  -d '{"email":"${person.email}"}'`,
                  status: 200,
                  response: '{}',
                },
              ],
              refusals: ['invalid_credentials'],
            },
          ],
        },
      ],
      refusals: [
        {
          status: 401,
          code: 'invalid_credentials',
          message: 'The e-mail address or password is incorrect.',
        },
      ],
    },
  },
  'pages/message': {
    plain: {
      kind: 'password_reset',
      actions: [
        { href: '/login', label: 'sign_in' },
        { href: '/account', label: 'account' },
      ],
    },
    bare: { kind: 'already_signed_in' },
  },
  'pages/forgot-password': { plain: { ...form('/forgot'), email: '', signInHref: '/login' } },
  'pages/reset-password': {
    code: reset,
    link: {
      ...form('/reset-password'),
      email: person.email,
      asksCode: false,
      hidden: { token: 'secret' },
    },
    wrong: {
      ...reset,
      problems: { code: 'password_rejected', fields: { password: 'too_personal' } },
      notice: 'code_sent',
    },
  },
  'pages/verify-link': {
    plain: { ...link, purpose: 'verify_email', email: person.email, hidden: { token: 'secret' } },
    change: { ...link, purpose: 'change_email' },
  },
  'pages/invitation': {
    plain: { ...form('/invitation'), email: person.email },
    long: { ...form('/invitation'), email: LONG.email },
    open: form('/invitation'),
  },
  'pages/finish-sign-up': {
    terms: { ...finish, terms },
    plain: finish,
    withoutPassword: { ...finish, asksPassword: false, email: LONG.email, terms },
    wrong: {
      ...finish,
      email: LONG.email,
      problems: { code: 'password_rejected', fields: { password: 'too_short' } },
    },
  },
  'pages/report-compromise': { plain: { ...form('/report'), hidden: { token: 'secret' } } },
  'pages/recover': { plain: { ...form('/recover'), email: '', signInHref: '/login' } },
  'pages/recover-code': {
    plain: recoverCode,
    wrong: { ...recoverCode, notice: 'code_sent', problems: { code: 'invalid_code' } },
  },
  'pages/recover-next': {
    plain: { ...recoverNext, asksCode: true, wait: form('/recover/wait') },
    wrong: {
      ...recoverNext,
      asksCode: true,
      wait: form('/recover/wait'),
      problems: { code: 'invalid_code' },
    },
    bare: { ...recoverNext, asksCode: false, wait: form('/recover/wait') },
    waiting: { ...recoverNext, asksCode: true, opensAt: new Date(Date.now() + DAY) },
    never: { ...recoverNext, asksCode: false, holdHours: 0 },
  },
  'pages/recover-waits': {
    plain: { email: person.email, opensAt: new Date(Date.now() + DAY) },
    long: { email: LONG.email, opensAt: new Date(Date.now() + DAY) },
  },
  'pages/recover-link': {
    plain: { ...form('/recover/link'), kind: 'link', email: person.email },
    stop: { ...form('/recover/stop'), kind: 'stop', email: LONG.email },
  },
  'pages/recover-new': {
    plain: { ...form('/recover/new'), email: person.email, asksPassword: true, passkey: created },
    passkey: { ...form('/recover/new'), email: LONG.email, asksPassword: false, passkey: created },
    code: { ...form('/recover/new'), email: LONG.email, asksPassword: false, takesCode: true },
    wrong: {
      ...form('/recover/new'),
      email: person.email,
      asksPassword: true,
      problems: { code: 'password_rejected', fields: { password: 'too_short' } },
    },
  },
  'pages/recover-done': {
    plain: { codes, signInHref: '/login' },
    bare: { codes: [], signInHref: '/login' },
  },
  'pages/undo-email': {
    plain: { ...form('/undo-email'), email: person.email },
    bare: form('/undo-email'),
  },
  'pages/undo-deletion': {
    plain: { ...form('/undo-deletion'), deletesAt: new Date(Date.now() + 10 * DAY) },
  },
  'account/index': {
    plain: overview,
    long: { ...overview, person: LONG },
    recovery: {
      ...overview,
      recovery: { ...form('/account/recovery/stop'), opensAt: new Date(Date.now() + DAY) },
    },
    everyWay: {
      ...overview,
      ways: { ...overview.ways, mailedCode: true },
      connections: ['Google', 'GitHub'],
      trusted: [FIREFOX, SAFARI],
    },
    codeOnly: {
      ...overview,
      ways: { password: 'none', mailedCode: true },
      passkeyCount: 0,
      trusted: [],
    },
    notOffered: {
      ...overview,
      ways: { password: 'unused', mailedCode: false, passkeys: 'used', totp: 'unused' },
    },
    bare: {
      ...area,
      person: { email: person.email },
      emailVerified: false,
      ways: { password: 'used', passkeys: 'none', totp: 'none' },
      passkeyCount: 0,
      sessionCount: 1,
      appCount: 0,
      notice: 'mfa_disabled',
      deletion: { ...form('/account/delete/undo'), deletesAt: new Date(Date.now() + 10 * DAY) },
    },
  },
  'account/profile': {
    plain: profile,
    wrong: {
      ...profile,
      locale: 'de',
      problems: {
        code: 'invalid_input',
        fields: { image_url: 'invalid_url', phone_number: 'invalid_phone' },
      },
    },
    saved: { ...profile, notice: 'saved' },
    'every field': {
      ...profile,
      fields: fieldsOf({
        ...Object.fromEntries(STANDARD_ATTRIBUTES.map((name) => [name, ''])),
        given_name: 'Ada',
        birthdate: '1815-13-10',
        zoneinfo: 'Europe/London',
        'address.street_address': '12 St James’s Square',
        'address.postal_code': 'SW1Y 4JH',
        'address.locality': 'London',
        'address.region': 'x'.repeat(101),
        'address.country': '',
      }),
      problems: {
        code: 'invalid_input',
        fields: { birthdate: 'invalid_date', 'address.region': 'invalid_text' },
      },
    },
  },
  'account/email': {
    plain: { ...area, ...form('/account/email'), email: '' },
    confirm: {
      ...area,
      ...form('/account/email'),
      email: '',
      confirm: { newEmail: 'countess@example.net', resend, startOverHref: '/account/email' },
    },
  },
  'account/password': {
    plain: {
      ...area,
      ...form('/account/password'),
      step: 'current',
      method: 'email',
      problems: { fields: { current_password: 'wrong_password' } },
    },
    confirm: { ...area, ...form('/account/password'), step: 'confirm', method: 'email' },
    totp: {
      ...area,
      ...form('/account/password'),
      step: 'confirm',
      method: 'totp',
      passwordMinLength: 8,
      problems: { fields: { password: 'too_short' } },
    },
  },
  'account/mfa-start': { plain: { ...area, ...form('/account/mfa/start') } },
  'account/mfa-enrol': {
    plain: { ...area, ...form('/account/mfa'), ...key },
    wrong: { ...area, ...form('/account/mfa'), ...key, problems: { fields: { code: 'wrong' } } },
  },
  'account/mfa-disable': {
    plain: { ...area, ...form('/account/mfa/disable') },
    empty: {
      ...area,
      ...form('/account/mfa/disable'),
      problems: { code: 'invalid_input', fields: { code: 'required' } },
    },
  },
  'account/recovery-codes': {
    fresh: {
      ...area,
      uses: [],
      regenerate: form('/account/recovery-codes'),
      codes,
    },
    left: {
      ...area,
      uses: [ago(3 * DAY), ...Array.from({ length: 9 }, () => undefined)],
      regenerate: form('/account/recovery-codes'),
      notice: 'mfa_enabled',
    },
  },
  'account/passkeys': {
    plain: {
      ...area,
      csrf: 'csrf-token',
      newHref: '/account/passkeys/new',
      passkeys: [
        item({ product: 'iCloud Keychain', isSynced: true, lastUsedAt: ago(3_600_000) }),
        item({
          id: '2',
          name: 'Blue key',
          product: 'YubiKey 5 NFC',
          suspendedFor: 'counter',
          confirmAction: '/account/passkeys/2/confirm',
        }),
        item({
          id: '3',
          isSecurityKey: true,
          suspendedFor: 'recovery',
          keptUntil: new Date(Date.now() + 5 * DAY),
          removeAction: undefined,
        }),
      ],
      signal: { signalAllAcceptedCredentials: {} },
    },
    none: { ...area, csrf: 'csrf-token', newHref: '/account/passkeys/new', passkeys: [] },
    wrong: {
      ...area,
      csrf: 'csrf-token',
      newHref: '/account/passkeys/new',
      passkeys: [item({ name: LONG.name.slice(0, 60) })],
      problems: { code: 'invalid_input', fields: { 'name-1': 'too_long' } },
    },
    last: {
      ...area,
      csrf: 'csrf-token',
      newHref: '/account/passkeys/new',
      passkeys: [item({ isSynced: true })],
      problems: { code: 'last_way_in' },
    },
  },
  'account/passkey-new': {
    plain: { ...area, passkey: created },
    refused: { ...area, passkey: created, problems: { code: 'passkey_exists' } },
  },
  'account/sessions': {
    plain: {
      ...sessions,
      trusted: [{ id: 'd1', userAgent: FIREFOX, until: new Date(Date.now() + 20 * 86_400_000) }],
      sessions: [
        { ...session, id: 's1', userAgent: FIREFOX, isCurrent: true, lastSeenAt: ago(0) },
        { ...session, id: 's2', userAgent: SAFARI, lastSeenAt: ago(2 * DAY) },
        {
          id: 's3',
          door: 'api',
          createdAt: ago(40 * DAY),
          lastSeenAt: ago(9 * DAY),
          isCurrent: false,
        },
      ],
    },
    only: {
      ...sessions,
      sessions: [{ ...session, id: 's1', userAgent: FIREFOX, isCurrent: true }],
    },
  },
  ...UPSTREAM_PAGES,
  'account/connections': connectionsPages(area),
  'account/apps': {
    plain: {
      ...area,
      csrf: 'csrf-token',
      removeAction: '/account/apps/remove',
      apps: [
        {
          clientId: 'acme',
          name: 'Acme Books',
          host: 'app.acme.example',
          logoUri: LOGO,
          scopes: ['openid', 'email'],
          claims: ['name', 'birthdate'],
          apis: [
            {
              name: 'Acme Books',
              identifier: 'https://api.acme.example',
              scopes: [
                { scope: 'invoices:send', description: 'Send invoices' },
                { scope: 'invoices:read' },
              ],
            },
          ],
          grantedAt: ago(12 * DAY),
        },
        {
          clientId: 'other',
          name: 'Timesheets',
          scopes: ['openid'],
          claims: [],
          apis: [],
          grantedAt: ago(400 * DAY),
        },
      ],
    },
    long: {
      ...area,
      csrf: 'csrf-token',
      removeAction: '/account/apps/remove',
      apps: [
        {
          clientId: 'long',
          name: LONG.name,
          host: LONG.host,
          scopes: [],
          claims: [],
          apis: [
            {
              name: LONG.name,
              identifier: `https://${LONG.host}`,
              scopes: [{ scope: 'read'.repeat(25) }],
            },
          ],
          grantedAt: ago(DAY),
        },
      ],
    },
    empty: { ...area, csrf: 'csrf-token', removeAction: '/account/apps/remove', apps: [] },
  },
  'account/activity': {
    plain: {
      ...area,
      events: [
        { ...event, type: 'sign_in', app: 'Acme Books' },
        { ...event, type: 'sign_in', outcome: 'failure', userAgent: SAFARI },
        { type: 'something.new', outcome: 'success', at: ago(3 * DAY) },
      ],
      olderHref: '/account/activity?before=3',
    },
    long: {
      ...area,
      events: [
        {
          ...event,
          type: 'consent_granted',
          app: LONG.name,
          ip: '2001:db8:1111:2222:3333:4444:5555:6666',
        },
      ],
    },
    empty: { ...area, events: [] },
  },
  'account/delete': {
    plain: { ...area, ...form('/account/delete'), graceDays: 14, exportHref: '/account/export' },
    long: {
      ...area,
      ...form('/account/delete'),
      person: LONG,
      graceDays: 14,
      exportHref: '/account/export',
    },
    wrong: {
      ...area,
      ...form('/account/delete'),
      graceDays: 14,
      exportHref: '/account/export',
      problems: { fields: { confirmation: 'no_match' } },
    },
  },
}

const mailOrigin = { userAgent: FIREFOX, ip: '192.0.2.4' }
const common = { name: 'Ada Lovelace', origin: mailOrigin }
const code = { ...common, code: '123456', expiresInSeconds: 600 }
const url = (path: string): string =>
  `https://id.example.org${path}?token=0123456789abcdefghijklmnopqrstuvwxyzABCDEFG`

const hold = {
  ...common,
  opensAt: new Date(Date.now() + DAY),
  closesAt: new Date(Date.now() + 4 * DAY),
  stopLink: url('/recover/stop'),
}

export const MAILS: Samples<MailModels> = {
  'verify-email': {
    plain: code,
    link: { ...code, link: url('/verify'), client: 'Acme' },
    bare: { code: '000001', expiresInSeconds: 600 },
  },
  'already-registered': {
    plain: {
      ...common,
      signInLink: 'https://id.example.org/login',
      regainLink: 'https://id.example.org/forgot',
      isReset: true,
    },
    mustReset: { ...common, regainLink: 'https://id.example.org/forgot', isReset: true },
    recover: {
      ...common,
      signInLink: 'https://id.example.org/login',
      regainLink: 'https://id.example.org/recover',
      isReset: false,
    },
  },
  'reset-password': { plain: { ...code, link: url('/reset-password') } },
  'change-email': { plain: { ...code, link: url('/verify') } },
  'change-email-notice': {
    plain: {
      ...common,
      newEmail: 'countess@example.net',
      undoLink: url('/undo-email'),
      undoUntil: new Date(Date.now() + 3 * DAY),
    },
  },
  'sign-in-code': { plain: { ...code, client: 'Acme' }, bare: code },
  'sign-in-otherwise': { plain: { ...common, regainLink: 'https://id.example.org/forgot' } },
  'no-account': { plain: { origin: mailOrigin, signUpLink: 'https://id.example.org/signup' } },
  'change-password': { plain: code },
  'prove-identity': { plain: code },
  'prove-address': { plain: code, bare: { code: '000001', expiresInSeconds: 600 } },
  'security-notice': Object.fromEntries(
    SECURITY_NOTICES.map((kind: SecurityNotice) => [
      kind,
      { ...common, kind, at: ago(60_000), reportLink: url('/report') },
    ]),
  ),
  'recover-account': { plain: code },
  'recovery-hold': {
    begun: { ...hold, kind: 'begun' },
    halfway: { ...hold, kind: 'halfway' },
    ready: { ...hold, kind: 'ready', link: url('/recover/link') },
  },
  'account-deletion': {
    plain: {
      ...common,
      undoLink: url('/undo-deletion'),
      deletesAt: new Date(Date.now() + 14 * DAY),
    },
  },
  'keep-account': {
    plain: {
      ...common,
      undoLink: url('/undo-deletion'),
      deletesAt: new Date(Date.now() + 9 * DAY),
    },
  },
  'account-closed': { plain: common },
  'account-created': {
    plain: { name: 'Ada', link: url('/recover') },
    password: {
      name: 'Ada',
      link: url('/reset-password'),
      passwordLink: { expiresInSeconds: 3600, laterLink: url('/forgot-password') },
    },
  },
  'provider-removed': {
    plain: { name: 'Ada', provider: 'Acme', signInLink: 'https://id.example.org/account' },
  },
  'sign-in-elsewhere': {
    plain: { ...common, provider: 'Acme', signInLink: 'https://id.example.org/account' },
  },
  invitation: {
    plain: { link: 'https://id.example.org/invitation?token=abc', expiresAt: new Date() },
    client: {
      link: 'https://id.example.org/invitation?token=abc',
      expiresAt: new Date(),
      client: 'Plant Diary',
    },
  },
}

/** The pages between the server and the app: they are gone before anybody could do something there. */
export const GOES_ON: ReadonlySet<PageName> = new Set(['pages/form-post', 'pages/leaving'])

/** Pages of no interaction that name the app that asks. */
const ASKED: ReadonlySet<PageName> = new Set(['pages/sign-out', 'pages/app-sign-in'])

/** Where each page stands: pages of an app's sign-in name the app. */
export function contextOf(name: PageName, context: Partial<PageContext> = {}): PageContext {
  const client = { name: 'Acme', host: 'app.acme.example' }
  const isAsked = name.startsWith('interaction/') || ASKED.has(name) || GOES_ON.has(name)
  return {
    locale: 'en',
    nonce: 'bm9uY2U',
    path: '/interaction/abc/login',
    ...(isAsked ? { client } : {}),
    ...context,
  }
}

export const BRAND = {
  name: 'Gatehouse',
  privacyUrl: 'https://example.org/privacy',
  termsUrl: 'https://example.org/terms',
}

/** Every page in every variant. */
export function eachPage(): { name: PageName; variant: string; model: PageModels[PageName] }[] {
  return Object.entries(PAGES).flatMap(([name, variants]) =>
    Object.entries(variants).map(([variant, model]) => ({
      name: name as PageName,
      variant,
      model: model as PageModels[PageName],
    })),
  )
}

/** Those with the most words in the least room. */
const DENSEST: ReadonlySet<PageName> = new Set([
  'interaction/sign-up',
  'interaction/consent',
  'interaction/mfa-enrol',
  'account/index',
  'account/sessions',
  'account/profile',
])

/** What a browser looks at in a language: every page in three, the densest in the others. */
export function pagesOf(locale: string): ReturnType<typeof eachPage> {
  const isWalked = (WALKED as readonly string[]).includes(locale)
  return eachPage().filter(({ name }) => !GOES_ON.has(name) && (isWalked || DENSEST.has(name)))
}

export function eachMail(): { name: MailName; variant: string; model: MailModels[MailName] }[] {
  return Object.entries(MAILS).flatMap(([name, variants]) =>
    Object.entries(variants).map(([variant, model]) => ({
      name: name as MailName,
      variant,
      model,
    })),
  )
}
