import { defineEntity, p } from '@mikro-orm/core'
import { updatedAt } from './columns.ts'
import { Picture } from './picture.ts'

/** Client metadata as registered (RFC 7591 names), without `client_id` and `client_secret`. */
export type ClientMetadata = Readonly<Record<string, unknown>>

/**
 * What the operator chose, in the fields of `src/clients/registration.ts` that have no column of
 * their own; the metadata is derived from it.
 */
export type StoredRegistration = Readonly<Record<string, unknown>>

/**
 * Who looks after it: the operator, a file of theirs, the server, which makes it anew at each start,
 * or others, who registered it themselves or publish its metadata.
 */
export type ManagedBy = 'operator' | 'config' | 'system' | 'dcr' | 'cimd'

/**
 * Whether people may let the app manage their account; `kept`: it could before apps had to be
 * registered for that.
 */
export type AccountApiUse = 'off' | 'on' | 'kept'

const ClientSchema = defineEntity({
  name: 'Client',
  tableName: 'client',
  properties: {
    /** `client_id`. */
    id: p.string().length(512).primary(),
    name: p.string().length(100),
    /**
     * SHA-256 (base64url) of the high-entropy client secret; null for public and key-authenticated
     * clients (TK-07).
     */
    secretDigest: p.string().length(64).hidden().nullable(),
    /** Null: written by a version from before it, of which the metadata is all there is. */
    registration: p.json<StoredRegistration>().nullable(),
    metadata: p.json<ClientMetadata>(),
    /** The operator's own app: consent is skipped if it can prove who it is (AZ-14). */
    isFirstParty: p.boolean().default(false),
    requireMfa: p.boolean().default(false),
    accountApi: p.string().length(4).$type<AccountApiUse>().default('off'),
    /** Seconds a second use of a refresh token is forgiven; null: the server's default. */
    refreshLeewaySeconds: p.integer().nullable(),
    /** Our copy of its logo; null: its tile shows an initial. */
    logo: () => p.manyToOne(Picture).nullable(),
    /** When the logo of a client from before there were copies was queued: once. */
    logoQueuedAt: p.datetime().nullable(),
    managedBy: p.string().length(8).$type<ManagedBy>().default('operator'),
    /** Goes up by one with each change: who changes what has changed since is refused. */
    version: p.integer().default(1),
    disabledAt: p.datetime().nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    updatedAt: updatedAt(),
  },
})

export class Client extends ClientSchema.class {}
ClientSchema.setClass(Client)
