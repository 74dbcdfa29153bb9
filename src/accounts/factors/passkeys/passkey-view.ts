import type { PasskeyCredential, SuspendedFor } from '../../../entities/index.ts'
import names from './passkey-names.json' with { type: 'json' }

/** A passkey as its owner sees it. */
export interface PasskeyView extends Pick<PasskeyCredential, 'id' | 'createdAt' | 'rpId'> {
  /** The person's own. */
  readonly name: string | undefined
  /** What keeps it, by its model; most say none, or one that is not known here. */
  readonly product: string | undefined
  /** For the second step only. */
  readonly isSecurityKey: boolean
  /** Kept by more than one device. */
  readonly isSynced: boolean
  readonly lastUsedAt: Date | undefined
  /** It may report a recovery until then, and cannot be removed. */
  readonly keptUntil: Date | undefined
  readonly suspendedFor: SuspendedFor | null
  /** In base64url, for signals to the browser. */
  readonly credentialId: string
}

const NAMES: Readonly<Record<string, string>> = names

/** Null for one that is not suspended. */
export function suspensionOf({
  suspendedAt,
  suspendedFor,
}: Pick<PasskeyCredential, 'suspendedAt' | 'suspendedFor'>): SuspendedFor | null {
  return suspendedAt ? (suspendedFor ?? null) : null
}

export function viewOf(passkey: PasskeyCredential): PasskeyView {
  const { id, createdAt, rpId, name, aaguid, isBackedUp, lastUsedAt } = passkey
  return {
    id,
    createdAt,
    rpId,
    name: name ?? undefined,
    product: aaguid ? NAMES[aaguid] : undefined,
    isSecurityKey: !passkey.hasVerified || passkey.isDiscoverable === false,
    isSynced: isBackedUp,
    lastUsedAt: lastUsedAt ?? undefined,
    keptUntil: passkey.keptUntil && passkey.keptUntil > new Date() ? passkey.keptUntil : undefined,
    suspendedFor: suspensionOf(passkey),
    credentialId: Buffer.from(passkey.credentialId).toString('base64url'),
  }
}
