import { defineEntity, p } from '@mikro-orm/core'
import { Account } from './account.ts'
import { uuidKey } from './columns.ts'

/** Why a passkey is not taken for the time being. */
export type SuspendedFor = 'counter' | 'reset' | 'report' | 'recovery'

/** A WebAuthn credential of an account: a passkey, or a security key for the second step. */
const PasskeyCredentialSchema = defineEntity({
  name: 'PasskeyCredential',
  tableName: 'passkey',
  properties: {
    /** What addresses and events name; never the credential's own id. */
    id: uuidKey(),
    account: () => p.manyToOne(Account).deleteRule('cascade').index(),
    credentialId: p.blob().unique(),
    /** The COSE key as it came: it is parsed where it is used. */
    publicKey: p.blob().hidden(),
    /** COSE: -8 EdDSA, -7 ES256, -257 RS256. */
    alg: p.integer(),
    /** The host that it was made for. */
    rpId: p.string().length(253),
    signCount: p.bigint('number').default(0),
    /** What the browser said (`credProps`). */
    isDiscoverable: p.boolean().nullable(),
    /** Never changes (WebAuthn 6.1.3). */
    isBackupEligible: p.boolean(),
    isBackedUp: p.boolean(),
    /** It has verified its person at least once. */
    hasVerified: p.boolean(),
    /** The model; many name none. */
    aaguid: p.uuid().nullable(),
    transports: p.array().$type<string[]>().default([]),
    /** The person's own; else the page finds one. */
    name: p.string().length(60).nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    lastUsedAt: p.datetime().nullable(),
    suspendedAt: p.datetime().nullable(),
    /** A recovery took its place: until then it may report that, and is not removed. */
    keptUntil: p.datetime().nullable(),
    suspendedFor: p.string().length(16).$type<SuspendedFor>().nullable(),
  },
})

export class PasskeyCredential extends PasskeyCredentialSchema.class {}
PasskeyCredentialSchema.setClass(PasskeyCredential)
