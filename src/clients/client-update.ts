import type { EntityManager } from '../database/database.ts'
import type { Client } from '../entities/index.ts'
import type { OfferedApi } from './allowed-scopes.ts'
import { type ClientChange, changedFields, merged } from './client-change.ts'
import type { MayName } from './logout-address.ts'
import { columnsOf, registrationOf } from './metadata.ts'
import { parseClient } from './parse-client.ts'
import { keepPicture, type PictureBytes } from './pictures.ts'
import { refused } from './reasons.ts'
import type { ClientRegistration } from './registration.ts'
import { settleSecret } from './secret.ts'
import { settled } from './settled.ts'

/** What an operator may name besides what is registered. */
export interface OperatorDeps {
  /** The server's own API, which has no row. */
  readonly accountApi?: OfferedApi
  /** Default: public hosts only. */
  readonly mayName?: MayName
}

export interface Applied {
  readonly changed: readonly string[]
  readonly secret?: string
}

/** Changes the client, which nobody else changes in this transaction, or refuses and changes nothing. */
export async function applyChange(
  tx: EntityManager,
  client: Client,
  change: ClientChange,
  deps: OperatorDeps & { readonly logo: PictureBytes | undefined },
): Promise<Applied> {
  if (client.managedBy === 'system') throw refused({ id: { code: 'built_in' } })
  const before = registrationOf(client)
  const { input, follows } = merged(before, change)
  const choice = { accountApi: deps.accountApi, before: follows ? before : undefined }
  const meant = await settled(tx, parseClient(input, deps.mayName), choice)
  const changed = changedFields(before, meant)
  if (changed.length === 0) return { changed }
  Object.assign(client, { ...columnsOf(meant, client) })
  if (changed.includes('logoUri')) {
    client.logo = deps.logo ? await keepPicture(tx, deps.logo) : null
    client.logoQueuedAt = null
  }
  const secret = await settleSecret(tx, client, meant)
  return secret ? { changed, secret } : { changed }
}

/** A logo that the change brings: it is fetched before the client is held. */
export function otherLogo(
  before: ClientRegistration,
  change: ClientChange,
  mayName?: MayName,
): string | undefined {
  if (typeof change.logoUri !== 'string') return undefined
  const { logoUri } = parseClient(merged(before, change).input, mayName)
  return logoUri === before.logoUri ? undefined : logoUri
}
