import { defineEntity, p } from '@mikro-orm/core'

export type SigningAlg = 'ES256' | 'RS256' | 'PS256' | 'EdDSA'

/**
 * A signing key's life: published (createdAt) -> signs (activeAt) -> only verifies (retiredAt) ->
 * gone (expiresAt).
 */
const SigningKeySchema = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_key',
  properties: {
    kid: p.string().length(64).primary(),
    alg: p.string().length(8).$type<SigningAlg>(),
    publicJwk: p.json<Record<string, unknown>>(),
    /** The private JWK, AES-256-GCM with the kid as associated data (JW-08). */
    privateBox: p.blob().hidden(),
    createdAt: p.datetime().onCreate(() => new Date()),
    activeAt: p.datetime(),
    retiredAt: p.datetime().nullable(),
    expiresAt: p.datetime().nullable(),
  },
})

export class SigningKey extends SigningKeySchema.class {}
SigningKeySchema.setClass(SigningKey)
