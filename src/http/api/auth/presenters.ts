import type { ExportedAccount } from '../../../accounts/export.ts'
import type { OpenedSession } from '../../../accounts/sessions/session-opening.ts'
import type { AuditEvent, Consent } from '../../../entities/index.ts'

/**
 * What the JSON door shows: each field is named here, nothing else leaves (IN-06). Times are RFC
 * 3339 in UTC.
 */
export function presentUser(account: OpenedSession['account']) {
  return {
    id: account.id,
    name: account.name,
    email: account.email,
    email_verified: account.emailVerifiedAt != null,
    phone_number: account.phoneNumber ?? null,
    image_url: account.imageUrl ?? null,
    status: account.status,
    mfa_enabled: account.mfaEnabled,
    created_at: account.createdAt.toISOString(),
    updated_at: account.updatedAt.toISOString(),
  }
}

export function presentSession(session: Omit<OpenedSession, 'account'>, currentId: string) {
  return {
    id: session.id,
    ip: session.ip ?? null,
    user_agent: session.userAgent ?? null,
    created_at: session.createdAt.toISOString(),
    last_seen_at: session.lastSeenAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    current: session.id === currentId,
  }
}

export function presentApp(consent: Consent) {
  return {
    client_id: consent.client.id,
    name: consent.client.name,
    scopes: consent.scopes,
    resource_scopes: consent.resourceScopes,
    granted_at: consent.grantedAt.toISOString(),
    updated_at: consent.updatedAt.toISOString(),
  }
}

export function presentEvent(event: AuditEvent) {
  return {
    at: event.at.toISOString(),
    type: event.type,
    outcome: event.outcome,
    client_id: event.clientId ?? null,
    session_id: event.sessionId ?? null,
    ip: event.ip ?? null,
    user_agent: event.userAgent ?? null,
  }
}

/** The person's data as a document; both doors give the same (UX-37, LG-08). */
export function presentExport(
  { account, sessions, consents, activity }: ExportedAccount,
  currentSessionId: string,
) {
  return {
    user: {
      ...presentUser(account),
      locale: account.locale ?? null,
      address: account.address ?? null,
    },
    sessions: sessions.map((session) => presentSession(session, currentSessionId)),
    apps: consents.map(presentApp),
    activity: activity.map(presentEvent),
  }
}
