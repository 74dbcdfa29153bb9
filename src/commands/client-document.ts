import type { ClientChange } from '../clients/client-change.ts'
import type { Registration } from '../clients/clients.ts'
import { registrationOf } from '../clients/metadata.ts'
import { CLIENT_FIELDS } from '../clients/registration.ts'
import { StartupError } from '../errors.ts'

type Client = Registration['client']

/** `redirectUris` is `redirect_uris`, `isFirstParty` is `first_party`. */
const nameOf = (field: string): string =>
  field
    .replace(/^is(?=[A-Z])/, '')
    .replace(/(?<=[a-z])[A-Z]/g, '_$&')
    .toLowerCase()
const FIELDS = new Map<string, string>(CLIENT_FIELDS.map((field) => [nameOf(field), field]))
/** What a client is besides what was registered: read, not written. */
const FACTS = ['managed_by', 'state', 'account_api_kept', 'created_at', 'updated_at']

/** A client as JSON: what it is, and under the same names what can be changed. */
export function documentOf(client: Client): Readonly<Record<string, unknown>> {
  const registration = registrationOf(client)
  const { id, version, managedBy, disabledAt, accountApi, createdAt, updatedAt } = client
  return {
    id,
    version,
    managed_by: managedBy,
    state: disabledAt ? 'disabled' : 'enabled',
    account_api_kept: accountApi === 'kept',
    created_at: createdAt,
    updated_at: updatedAt,
    ...Object.fromEntries(
      [...FIELDS].flatMap(([name, field]) => {
        const value = registration[field as keyof typeof registration]
        return value === undefined ? [] : [[name, value]]
      }),
    ),
  }
}

/** One fact a line. */
export function linesOf(document: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(document).map(([name, value]) => {
    if (Array.isArray(value)) return `${name}\t${value.join(' ')}`
    if (value instanceof Date) return `${name}\t${value.toISOString()}`
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `${name}\t${text}`
  })
}

/**
 * A whole client, as `show --json` prints it: what it does not name is as if it had never been said.
 * With `version` it changes that version only.
 */
export function changeOf(
  document: unknown,
  id: string,
): { change: ClientChange; version: number | undefined } {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new StartupError('--from: the file must hold what "client show --json" prints')
  const { version, id: named = id, ...rest } = document as Readonly<Record<string, unknown>>
  if (named !== id) throw new StartupError(`--from: the file is about the client ${String(named)}`)
  if (version !== undefined && !Number.isSafeInteger(version))
    throw new StartupError('--from: version must be a whole number')
  const unknown = Object.keys(rest).filter((name) => !FIELDS.has(name) && !FACTS.includes(name))
  if (unknown.length > 0)
    throw new StartupError(`--from: the file has unknown members: ${unknown.join(', ')}`)
  const change = Object.fromEntries(
    [...FIELDS].map(([name, field]) => [field, rest[name] ?? null]),
  ) as ClientChange
  return { change, version: version as number | undefined }
}
