import { z } from 'zod'
import type { Identity } from '../../../entities/index.ts'
import { named } from './fields.ts'

const time = z.iso.datetime().describe('RFC 3339, UTC.')

export const UserIdentity = named('UserIdentity', {
  id: z.uuid(),
  provider: z.string().describe('The id of the provider.'),
  provider_name: z.string(),
  issuer: z.string(),
  subject: z.string().describe('Who the person is over there.'),
  email: z.string().nullable().describe('As the provider said when it was connected.'),
  name: z.string().nullable(),
  linked_at: time,
  last_used_at: time.nullable(),
  suspended: z.boolean().describe('It lets nobody in until it is connected once more.'),
})

export function presentIdentity(identity: Identity): z.output<typeof UserIdentity> {
  return {
    id: identity.id,
    provider: identity.provider.id,
    provider_name: identity.provider.name,
    issuer: identity.issuer,
    subject: identity.subject,
    email: identity.email ?? null,
    name: identity.displayName ?? null,
    linked_at: identity.linkedAt.toISOString(),
    last_used_at: identity.lastUsedAt?.toISOString() ?? null,
    suspended: identity.suspendedAt != null,
  }
}
