import type { EntityManager } from '../database/database.ts'
import type { RequestOrigin } from './request-origin.ts'

/** What the audit trail knows (LG-01): one word for each thing that can be done. */
export const AUDIT_TYPES = [
  'sign_in',
  'second_factor',
  'sign_up',
  'sign_out',
  'sign_out_all',
  'session_ended',
  'new_device',
  'device_trusted',
  'device_untrusted',
  'lockout',
  'registration_refused',
  'terms_accepted',
  'invitation_created',
  'invitation_accepted',
  'invitation_revoked',
  'email_verified',
  'email_change_requested',
  'email_changed',
  'email_change_undone',
  'password_reset_requested',
  'password_reset',
  'password_changed',
  'profile_changed',
  'attribute_changed',
  'mfa_enabled',
  'mfa_disabled',
  'passkey_added',
  'passkey_renamed',
  'passkey_removed',
  'passkey_suspended',
  'passkey_confirmed',
  'recovery_code_used',
  'recovery_codes_regenerated',
  'identity_linked',
  'identity_unlinked',
  'upstream_refused',
  'consent_granted',
  'consent_denied',
  'consent_revoked',
  'compromise_reported',
  'recovery_started',
  'recovery_completed',
  'recovery_cancelled',
  'data_exported',
  'deletion_requested',
  'deletion_cancelled',
  'account_erased',
  'account_created',
  'account_disabled',
  'account_enabled',
  'account_unlocked',
  'token_issued',
  'token_refreshed',
  'token_reuse_detected',
  'token_revoked',
  'rate_limited',
  'client_registered',
  'client_changed',
  'client_deleted',
  'resource_registered',
  'resource_changed',
  'resource_deleted',
  'upstream_logout',
  'provider_created',
  'provider_changed',
  'provider_deleted',
  'group_created',
  'group_deleted',
  'group_member_added',
  'group_member_removed',
  'claims_truncated',
  'key_rotated',
  'server_started',
  'audit_purged',
  'restored',
] as const
export type AuditType = (typeof AUDIT_TYPES)[number]

/** The daily traffic of apps: of interest to the operator, noise to the person. */
export const TRAFFIC: readonly AuditType[] = ['token_issued', 'token_refreshed']

/** Words and numbers that the server chose itself; never what somebody typed, never a credential (LG-02). */
export type AuditDetail = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>

/** Who acts: a person by the id of the account, a service by the id of its client. */
export type Actor =
  | { readonly kind: 'person' | 'service'; readonly id: string }
  | { readonly kind: 'operator' | 'system' }

/** Somebody at the command line of the server. */
export const OPERATOR: Actor = { kind: 'operator' }

export interface AuditRecord {
  readonly type: AuditType
  /** Default: the person whose account it is; where there is no account, it is not said. */
  readonly actor?: Actor | undefined
  /** Default `success`. */
  readonly outcome?: 'success' | 'failure' | undefined
  readonly accountId?: string | undefined
  /** For an address that no account has: only a keyed digest of it is kept, as `detail.subject`. */
  readonly address?: string | undefined
  readonly clientId?: string | undefined
  readonly sessionId?: string | undefined
  /** Default: the request under way. */
  readonly origin?: RequestOrigin | undefined
  readonly detail?: AuditDetail | undefined
}

/** What use cases need of the trail. */
export interface AuditSink {
  /** Written within 50 ms, by itself; never waited for. */
  record(event: AuditRecord): void
  /**
   * Written in the transaction of the change that it tells of: neither is there without the other
   * (LG-04). The last thing the transaction does.
   */
  append(tx: EntityManager, event: AuditRecord): Promise<void>
}
