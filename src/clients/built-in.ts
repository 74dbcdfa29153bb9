import type { AuditSink } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import { Client } from '../entities/index.ts'
import { announce } from '../feed/changes.ts'
import type { OfferedApi } from './allowed-scopes.ts'
import { columnsOf } from './metadata.ts'
import { parseClient } from './parse-client.ts'
import { refused } from './reasons.ts'
import type { ClientInput } from './registration.ts'
import { usesSecret } from './secret.ts'
import { settled } from './settled.ts'

/** Its logo would be fetched at every start. */
export type BuiltInClient = Omit<ClientInput, 'logoUri'> & { readonly id: string }

/** Creates or replaces a client of the server's own. */
export async function ensureClient(
  tx: EntityManager,
  { id, ...input }: BuiltInClient,
  { audit, accountApi }: { readonly audit: AuditSink; readonly accountApi?: OfferedApi },
): Promise<void> {
  const wanted = parseClient(input)
  if (usesSecret(wanted.authMethod)) throw refused({ authMethod: { code: 'built_in_secret' } })
  const isNew = (await tx.count(Client, { id })) === 0
  const now = new Date()
  const row = {
    id,
    ...columnsOf(await settled(tx, wanted, { accountApi })),
    secretDigest: null,
    managedBy: 'system' as const,
    createdAt: now,
    updatedAt: now,
  }
  await tx.upsert(Client, row, {
    onConflictFields: ['id'],
    onConflictAction: 'merge',
    onConflictExcludeFields: ['createdAt'],
  })
  await announce(tx, { kind: 'client', id })
  const detail = { isBuiltIn: true }
  if (isNew) await audit.append(tx, { type: 'client_registered', clientId: id, detail })
}
