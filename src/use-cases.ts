import { AccountAdministration } from './accounts/account-administration.ts'
import { AccountList } from './accounts/account-list.ts'
import { Accounts } from './accounts/accounts.ts'
import { AttributeDefinitions } from './accounts/attributes/definitions.ts'
import { CodesByAddress } from './accounts/codes-by-address.ts'
import { Consents } from './accounts/consents.ts'
import { Deletion } from './accounts/deletion.ts'
import { Devices } from './accounts/devices.ts'
import { EmailChange } from './accounts/email-change.ts'
import { EmailUndo } from './accounts/email-undo.ts'
import { AccountExport } from './accounts/export.ts'
import { Attempts } from './accounts/factors/attempts.ts'
import { composeFactors } from './accounts/factors/compose.ts'
import { createSignInPolicy } from './accounts/factors/sign-in-policy.ts'
import { StepUp } from './accounts/factors/step-up.ts'
import { FirstStep } from './accounts/first-step.ts'
import { Groups } from './accounts/groups/groups.ts'
import { Memberships } from './accounts/groups/memberships.ts'
import { Identities } from './accounts/identities/identities.ts'
import { KeepLinks } from './accounts/keep-links.ts'
import { Lockouts } from './accounts/lockouts.ts'
import { OneTimeTokens } from './accounts/one-time-tokens.ts'
import { PasswordChange } from './accounts/passwords/password-change.ts'
import { PasswordReset } from './accounts/passwords/password-reset.ts'
import { Passwords } from './accounts/passwords/passwords.ts'
import { Profile } from './accounts/profile.ts'
import { composeRecovery } from './accounts/recovery/compose.ts'
import { composeRegistration } from './accounts/registration/compose.ts'
import type { AppsThatAdmit } from './accounts/registration/registration.ts'
import { ReplacedCredentials } from './accounts/replaced-credentials.ts'
import { SecurityEvents } from './accounts/security-events.ts'
import type { EndsAccess } from './accounts/sessions/session-endings.ts'
import { Sessions } from './accounts/sessions/sessions.ts'
import { SignIn } from './accounts/sign-in.ts'
import { SignInCodes } from './accounts/sign-in-codes.ts'
import { SignUp } from './accounts/sign-up.ts'
import { SignUpProof } from './accounts/sign-up-proof.ts'
import { TrustedDevices } from './accounts/trusted-devices.ts'
import { Usernames } from './accounts/usernames.ts'
import { Activity } from './audit/activity.ts'
import type { AuditSink } from './audit/event.ts'
import type { Config } from './config/config.ts'
import type { PasswordHasher } from './crypto/password.ts'
import type { SecretBox } from './crypto/secret-box.ts'
import { deriveMacKey } from './crypto/token.ts'
import type { Database } from './database/database.ts'
import type { Announcements } from './feed/announcements.ts'
import type { Logger } from './logger/logger.ts'
import type { Messages } from './mail/messages.ts'
import type { Providers } from './upstream/providers.ts'

export interface UseCaseDeps {
  readonly config: Config
  readonly database: Database
  readonly box: SecretBox
  readonly hasher: PasswordHasher
  readonly messages: Messages
  /** Ends access at the protocol. */
  readonly access: EndsAccess
  readonly directory: AppsThatAdmit
  readonly audit: AuditSink
  readonly announcements: Announcements
  readonly providers: Pick<Providers, 'enforcing'>
  readonly logger: Logger
}

export type UseCases = ReturnType<typeof composeUseCases>

/** What can be done with accounts, by hand and in order: both doors call these. */
export function composeUseCases({
  config,
  database,
  box,
  hasher,
  messages,
  access,
  audit,
  announcements,
  providers,
  directory,
  logger,
}: UseCaseDeps) {
  const { em, pool } = database
  const codeKeys = config.secrets.keyEncryptionKeys.map((secret) =>
    deriveMacKey(secret, 'one-time codes'),
  )
  const signInPolicy = createSignInPolicy(config.signIn)
  const accounts = new Accounts({ em, pool })
  const attempts = new Attempts({ pool, audit })
  const consents = new Consents({ em, pool, audit })
  const sessions = new Sessions({ em, pool, access, audit })
  const tokens = new OneTimeTokens({ pool, codeKeys, attempts })
  const keepLinks = new KeepLinks({ em, tokens, messages })
  const passwordContext = {
    product: config.brand.name,
    issuerHost: new URL(config.issuer).hostname,
  }
  const events = new SecurityEvents({ audit, em, tokens, messages, sessions })
  const devices = new Devices({ em, pool, events, audit })
  const trustedDevices = new TrustedDevices({ em, pool, events, audit, policy: signInPolicy })
  const factors = composeFactors({
    config,
    database,
    box,
    audit,
    attempts,
    events,
    keepLinks,
    policy: signInPolicy,
    sessions,
  })
  const { challenges, mfa, passkeys, secondStep } = factors
  const replaced = new ReplacedCredentials({ audit, events, sessions })
  const passwords = new Passwords({ em, hasher, attempts, replaced, passwordContext })
  const mailing = { audit, em, tokens, messages }
  const stepUp = new StepUp({ ...mailing, pool, attempts, passkeys, passwords, secondStep })
  const codes = new CodesByAddress({ em, tokens, keepLinks, providers })
  const resetting = { ...mailing, passwords, attempts, codes, policy: signInPolicy }
  const passwordReset = new PasswordReset(resetting)
  const passwordChange = new PasswordChange({ ...mailing, challenges, secondStep, passwords })
  const registering = composeRegistration({
    ...mailing,
    config,
    apps: directory,
    policy: signInPolicy,
    providers,
  })
  const { registration, acceptances } = registering
  const emailChange = new EmailChange({ ...mailing, registration })
  const emailUndo = new EmailUndo({ audit, em, tokens, sessions })
  const regained = composeRecovery({
    ...mailing,
    ...factors,
    events,
    sessions,
    codes,
    attempts,
    passwords,
    replaced,
    holdHours: config.recoveryHoldHours,
  })
  const definitions = new AttributeDefinitions({ em, audit, announcements })
  const profile = new Profile({ em, audit, definitions })
  const deletion = new Deletion({ ...mailing, sessions, keepLinks, logger })
  const signingUp = { ...mailing, hasher, registration, acceptances, passwordContext }
  const signUpProof = new SignUpProof(signingUp)
  const signUp = new SignUp({ ...signingUp, keepLinks, logger })
  const firstStep = new FirstStep({ audit, challenges, keepLinks, trustedDevices })
  const signIn = new SignIn({ audit, pool, hasher, attempts, firstStep, signUp })
  const signInCodes = new SignInCodes({ ...mailing, codes, attempts, firstStep, registration })

  const administration = new AccountAdministration({ audit, deletion, em, mfa, sessions })
  const accountList = new AccountList({ em })
  const lockouts = new Lockouts({ em, audit })
  const usernames = new Usernames({ em, audit })
  const activity = new Activity(em)
  const groups = new Groups({ em, audit })
  const memberships = new Memberships({ em, pool, audit })
  const identities = new Identities({ em, audit, events, policy: signInPolicy })
  const listed = { profile, sessions, consents, memberships, identities, passkeys, acceptances }
  const accountExport = new AccountExport({ audit, em, activity, trustedDevices, ...listed })
  return {
    signInPolicy,
    accounts,
    accountList,
    administration,
    attempts,
    consents,
    devices,
    lockouts,
    trustedDevices,
    sessions,
    tokens,
    usernames,
    ...factors,
    events,
    passwords,
    passwordReset,
    passwordChange,
    ...regained,
    emailChange,
    emailUndo,
    definitions,
    profile,
    ...registering,
    deletion,
    signUp,
    signUpProof,
    firstStep,
    signIn,
    signInCodes,
    stepUp,
    activity,
    groups,
    memberships,
    identities,
    accountExport,
  }
}
