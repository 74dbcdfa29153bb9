import { defineEntity, p } from '@mikro-orm/core'
import { Client, type ManagedBy } from './client.ts'

/** `typ` of its tokens: of RFC 9068, or of any JWT, for verifiers that refuse the other. */
export type TokenTyp = 'at+jwt' | 'JWT'

/** An API that accepts our access tokens, named by its resource indicator (RFC 8707). */
const ResourceSchema = defineEntity({
  name: 'Resource',
  tableName: 'resource',
  properties: {
    /** Absolute URI, exactly as clients send it in `resource` and as it appears in `aud`. */
    identifier: p.string().length(512).primary(),
    name: p.string().length(100),
    scopes: p.array().$type<string[]>(),
    /** What people read instead of a scope's name, by scope. */
    scopeDescriptions: p.json<Readonly<Record<string, string>>>().default('{}'),
    accessTokenSeconds: p.integer().default(600),
    /** Its access tokens name the groups of the person, if the app may see them. */
    includeGroups: p.boolean().default(false),
    signingAlg: p.string().length(8).default('ES256'),
    tokenTyp: p.string().length(8).$type<TokenTyp>().default('at+jwt'),
    /** Its tokens are for userinfo too: it may ask there who the person is. */
    opensUserinfo: p.boolean().default(false),
    /** As which client it asks whether a token is still good (RFC 7662). */
    servedBy: () => p.manyToOne(Client).nullable().deleteRule('set null').index(),
    managedBy: p.string().length(8).$type<ManagedBy>().default('operator'),
    version: p.integer().default(1),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
})

export class Resource extends ResourceSchema.class {}
ResourceSchema.setClass(Resource)
