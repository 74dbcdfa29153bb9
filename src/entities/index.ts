import { Acceptance } from './acceptance.ts'
import { Account } from './account.ts'
import { AccountAttribute } from './account-attribute.ts'
import { AccountGroup } from './account-group.ts'
import { AttemptCounter } from './attempt-counter.ts'
import { AttributeDefinition } from './attribute-definition.ts'
import { AuditEvent } from './audit-event.ts'
import { Client } from './client.ts'
import { ClientRefusal } from './client-refusal.ts'
import { ClientSecret } from './client-secret.ts'
import { Consent } from './consent.ts'
import { GivenUsername } from './given-username.ts'
import { GroupMember } from './group-member.ts'
import { Identity } from './identity.ts'
import { Invitation } from './invitation.ts'
import { KnownDevice } from './known-device.ts'
import { MfaChallenge } from './mfa-challenge.ts'
import { OidcArtifact } from './oidc-artifact.ts'
import { OutboxMessage } from './outbox-message.ts'
import { PasskeyCredential } from './passkey-credential.ts'
import { PendingSignUp } from './pending-sign-up.ts'
import { Picture } from './picture.ts'
import { Provider } from './provider.ts'
import { RecoveryCode } from './recovery-code.ts'
import { Resource } from './resource.ts'
import { ServerState } from './server-state.ts'
import { Session } from './session.ts'
import { SessionProof } from './session-proof.ts'
import { SigningKey } from './signing-key.ts'
import { SpentChallenge } from './spent-challenge.ts'
import { TotpCredential } from './totp-credential.ts'
import { UpstreamArrival } from './upstream-arrival.ts'
import { UpstreamFlow } from './upstream-flow.ts'
import { VerificationToken } from './verification-token.ts'

export const entities = [
  Acceptance,
  Account,
  AccountGroup,
  AccountAttribute,
  AttemptCounter,
  AttributeDefinition,
  AuditEvent,
  Client,
  ClientRefusal,
  ClientSecret,
  Consent,
  GivenUsername,
  GroupMember,
  Identity,
  Invitation,
  KnownDevice,
  MfaChallenge,
  OidcArtifact,
  OutboxMessage,
  PasskeyCredential,
  PendingSignUp,
  Picture,
  Provider,
  RecoveryCode,
  Resource,
  ServerState,
  Session,
  SessionProof,
  SigningKey,
  SpentChallenge,
  TotpCredential,
  UpstreamArrival,
  UpstreamFlow,
  VerificationToken,
]
export type { SuspendedFor } from './passkey-credential.ts'
export type { TokenTyp } from './resource.ts'
export {
  Acceptance,
  Account,
  AccountAttribute,
  AccountGroup,
  AttemptCounter,
  AttributeDefinition,
  AuditEvent,
  Client,
  ClientRefusal,
  ClientSecret,
  Consent,
  GivenUsername,
  GroupMember,
  Identity,
  Invitation,
  KnownDevice,
  MfaChallenge,
  OidcArtifact,
  OutboxMessage,
  PasskeyCredential,
  PendingSignUp,
  Picture,
  Provider,
  RecoveryCode,
  Resource,
  ServerState,
  Session,
  SessionProof,
  SigningKey,
  SpentChallenge,
  TotpCredential,
  UpstreamArrival,
  UpstreamFlow,
  VerificationToken,
}
