import { z } from 'zod'
import type { PasskeyView } from '../../../accounts/factors/passkeys/passkey-view.ts'
import { named } from './fields.ts'

const time = z.iso.datetime().describe('RFC 3339, UTC.')

export const Passkey = named('Passkey', {
  id: z.uuid(),
  name: z.string().nullable().describe('The one that the person gave.'),
  product: z.string().nullable().describe('What keeps it, where its model is known.'),
  kind: z
    .enum(['passkey', 'security-key'])
    .describe('A security key is good for a second step only.'),
  synced: z.boolean(),
  suspended: z.boolean().describe('It is not accepted at present.'),
  created_at: time,
  last_used_at: time.nullable(),
})

export function presentPasskey(passkey: PasskeyView): z.output<typeof Passkey> {
  return {
    id: passkey.id,
    name: passkey.name ?? null,
    product: passkey.product ?? null,
    kind: passkey.isSecurityKey ? 'security-key' : 'passkey',
    synced: passkey.isSynced,
    suspended: passkey.suspendedFor !== null,
    created_at: passkey.createdAt.toISOString(),
    last_used_at: passkey.lastUsedAt?.toISOString() ?? null,
  }
}
