import { z } from 'zod'
import { takesTwoFactors } from '../../../accounts/factors/levels.ts'
import type { OpenedSession } from '../../../accounts/sessions/session-opening.ts'
import type { AuditEvent, Consent } from '../../../entities/index.ts'
import { ERROR_CODES } from '../../../errors.ts'
import { FIELD_REASONS } from '../../middleware/validate.ts'
import { named } from './fields.ts'

/**
 * What the JSON door shows: each field is named here, nothing else leaves (IN-06). The tests hold
 * every answer against these.
 */
export const time = z.iso.datetime().describe('RFC 3339, UTC.')
export const seconds = z.int().min(1).describe('Seconds.')

export const User = named('User', {
  id: z.uuid().describe('The `sub` of every token.'),
  name: z.string(),
  email: z.string(),
  email_verified: z.boolean(),
  phone_number: z.string().nullable(),
  image_url: z.string().nullable(),
  status: z.enum(['active', 'disabled', 'deleting']),
  mfa_enabled: z.boolean(),
  created_at: time,
  updated_at: time,
})

export function presentUser(account: OpenedSession['account']): z.output<typeof User> {
  return {
    id: account.id,
    name: account.name,
    email: account.email,
    email_verified: account.emailVerifiedAt != null,
    phone_number: account.phoneNumber ?? null,
    image_url: account.imageUrl ?? null,
    status: account.status,
    mfa_enabled: takesTwoFactors(account),
    created_at: account.createdAt.toISOString(),
    updated_at: account.updatedAt.toISOString(),
  }
}

export const Session = named('Session', {
  id: z.string().describe('The `sid` of its access tokens. No credential.'),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  created_at: time,
  last_seen_at: time,
  expires_at: time,
  current: z.boolean().describe('Whether it is the session of this call.'),
})

export function presentSession(
  session: Omit<OpenedSession, 'account'>,
  currentId: string,
): z.output<typeof Session> {
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

export const App = named('App', {
  client_id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  resource_scopes: z.record(z.string(), z.array(z.string())).describe('Scopes by API.'),
  claims: z.array(z.string()).describe('Details that it asked for by their names.'),
  granted_at: time,
  updated_at: time,
})

export function presentApp(consent: Consent): z.output<typeof App> {
  return {
    client_id: consent.client.id,
    name: consent.client.name,
    scopes: consent.scopes,
    resource_scopes: consent.resourceScopes,
    claims: consent.claims,
    granted_at: consent.grantedAt.toISOString(),
    updated_at: consent.updatedAt.toISOString(),
  }
}

export const ActivityEvent = named('ActivityEvent', {
  at: time,
  type: z.string(),
  outcome: z.enum(['success', 'failure']),
  client_id: z.string().nullable(),
  session_id: z.string().nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
})

export function presentEvent(event: AuditEvent): z.output<typeof ActivityEvent> {
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

export const Group = named('Group', { name: z.string(), since: time })

export const UserAnswer = named('UserAnswer', { user: User })
/** A code is under way; its answer comes with this identifier. */
export const StartedProof = named('StartedProof', { tokenId: z.string(), expires_in: seconds })

export const presentStartedProof = (proof: { tokenId: string; expiresInSeconds: number }) => ({
  tokenId: proof.tokenId,
  expires_in: proof.expiresInSeconds,
})

/** The shape of every refusal; what else there is depends on the code. */
export const Refusal = named('Refusal', {
  error: z.enum(ERROR_CODES),
  message: z.string().describe('For people, in English.'),
  request_id: z.uuid().describe('Quote it to the operator.'),
  fields: z.record(z.string(), z.enum(FIELD_REASONS)).optional().describe('Reasons by field.'),
  token: z
    .string()
    .optional()
    .describe('With `mfa_required`: for the second call; with `terms_required`: for `/terms`.'),
  methods: z.array(z.enum(['passkey', 'totp', 'recovery'])).optional(),
  expires_in: seconds.optional(),
  userId: z.uuid().optional().describe('With `email_unverified`: for `/verify/email`.'),
  tokenId: z.uuid().optional(),
  version: z.string().optional().describe('With `terms_required`: what is to be accepted.'),
  url: z.string().optional().describe('With `terms_required`: where it is.'),
  signal: z
    .strictObject({ rpId: z.string(), credentialId: z.string() })
    .optional()
    .describe('With `passkey_unknown`: for `PublicKeyCredential.signalUnknownCredential`.'),
})
