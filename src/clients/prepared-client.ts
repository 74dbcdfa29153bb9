import { randomUUID } from 'node:crypto'
import { checkClientId } from './client-id.ts'
import type { Logos } from './logos.ts'
import type { MayName } from './logout-address.ts'
import { parseClient } from './parse-client.ts'
import type { ClientInput } from './registration.ts'

/** `id`: `client_id`, if the operator names it. */
export type NewClient = ClientInput & { readonly id?: string | undefined }

export type PreparedClient = Awaited<ReturnType<typeof prepareClient>>

/** All that is checked and fetched before the transaction that stores a new client. */
export async function prepareClient(
  input: NewClient,
  { mayName, logos }: { readonly mayName?: MayName; readonly logos: Pick<Logos, 'fetch'> },
) {
  // What is no object says nothing, and is refused as such.
  const { id: named, ...said } = { ...input }
  const wanted = parseClient(said, mayName)
  const id = named === undefined ? randomUUID() : checkClientId(named)
  return { named, id, wanted, logo: await logos.fetch(wanted.logoUri) }
}
