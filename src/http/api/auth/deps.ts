import type { Consents } from '../../../accounts/consents.ts'
import type { Deletion } from '../../../accounts/deletion.ts'
import type { EmailChange } from '../../../accounts/email-change.ts'
import type { AccountExport } from '../../../accounts/export.ts'
import type { MfaChallenges } from '../../../accounts/factors/challenges.ts'
import type { Passkeys } from '../../../accounts/factors/passkeys/passkeys.ts'
import type { RecoveryCodes } from '../../../accounts/factors/recovery-codes.ts'
import type { SecondStep } from '../../../accounts/factors/second-step.ts'
import type { SignInPolicy } from '../../../accounts/factors/sign-in-policy.ts'
import type { StepUp } from '../../../accounts/factors/step-up.ts'
import type { Totp } from '../../../accounts/factors/totp.ts'
import type { FirstStep } from '../../../accounts/first-step.ts'
import type { Identities } from '../../../accounts/identities/identities.ts'
import type { Meetings } from '../../../accounts/identities/meetings.ts'
import type { PasswordChange } from '../../../accounts/passwords/password-change.ts'
import type { PasswordReset } from '../../../accounts/passwords/password-reset.ts'
import type { Profile } from '../../../accounts/profile.ts'
import type { Acceptances } from '../../../accounts/registration/acceptances.ts'
import type { Invitations } from '../../../accounts/registration/invitations.ts'
import type { TermsTokens } from '../../../accounts/registration/terms-tokens.ts'
import type { Sessions } from '../../../accounts/sessions/sessions.ts'
import type { SignIn } from '../../../accounts/sign-in.ts'
import type { SignInCodes } from '../../../accounts/sign-in-codes.ts'
import type { SignUp } from '../../../accounts/sign-up.ts'
import type { SignUpProof } from '../../../accounts/sign-up-proof.ts'
import type { Activity } from '../../../audit/activity.ts'
import type { Config } from '../../../config/config.ts'
import type { AccessRevoker } from '../../../oidc/access-revoker.ts'
import type { AuthorizationServer } from '../../../oidc/authorization-server.ts'
import type { ClientDirectory } from '../../../oidc/clients/directory.ts'
import type { AccessTokens } from '../../../oidc/tokens/access-tokens.ts'
import type { FirstPartyTokens } from '../../../oidc/tokens/first-party-tokens.ts'
import type { AppCodes } from '../../../upstream/app-codes.ts'
import type { Providers } from '../../../upstream/providers.ts'
import type { Tickets } from '../../../upstream/tickets.ts'
import type { DoorDeps } from '../router.ts'

/** The use cases behind the account API. */
export interface AuthApiDeps extends DoorDeps {
  readonly acceptances: Acceptances
  readonly access: AccessRevoker
  readonly accessTokens: AccessTokens
  readonly accountExport: AccountExport
  readonly activity: Activity
  readonly appCodes: AppCodes
  readonly authorizationServer: Pick<AuthorizationServer, 'provider'>
  readonly challenges: MfaChallenges
  readonly config: Pick<Config, 'relatedOrigins'>
  readonly consents: Consents
  readonly deletion: Deletion
  readonly directory: Pick<ClientDirectory, 'honours' | 'nativeApps' | 'usesAccountApi'>
  readonly emailChange: EmailChange
  readonly firstStep: FirstStep
  readonly firstPartyTokens: FirstPartyTokens
  readonly identities: Identities
  readonly invitations: Invitations
  readonly meetings: Meetings
  readonly mfa: Totp
  readonly secondStep: SecondStep
  readonly passwordChange: PasswordChange
  readonly passwordReset: PasswordReset
  readonly passkeys: Passkeys
  readonly profile: Profile
  readonly providers: Providers
  readonly recoveryCodes: RecoveryCodes
  readonly sessions: Sessions
  readonly signIn: SignIn
  readonly signInCodes: SignInCodes
  readonly signInPolicy: SignInPolicy
  readonly signUp: SignUp
  readonly signUpProof: SignUpProof
  readonly stepUp: StepUp
  readonly termsTokens: TermsTokens
  readonly tickets: Tickets
}
