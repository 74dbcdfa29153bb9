import { defineEntity, p } from '@mikro-orm/core'
import { Provider } from './provider.ts'

/** What the person began it for: to sign in, here or for an app of the API, or to connect an account. */
export type UpstreamPurpose = 'sign_in' | 'link' | 'api'

/**
 * A person who is away at a provider. Deleting the row spends it, before the code that came back is
 * redeemed (UP-03).
 */
const UpstreamFlowSchema = defineEntity({
  name: 'UpstreamFlow',
  tableName: 'upstream_flow',
  properties: {
    /** SHA-256 of `state`. */
    stateDigest: p.blob().primary().hidden(),
    provider: () => p.manyToOne(Provider).deleteRule('cascade'),
    purpose: p.string().length(8).$type<UpstreamPurpose>(),
    /** Digest of what it belongs to: an interaction, a session, an app's challenge. */
    binding: p.blob().hidden(),
    /** SHA-256 of the cookie of the browser that began it (UP-07). */
    browserDigest: p.blob().hidden(),
    /** Nonce, PKCE verifier and where to go on, sealed for the digest of the state. */
    box: p.blob().hidden(),
    expiresAt: p.datetime().index(),
  },
})

export class UpstreamFlow extends UpstreamFlowSchema.class {}
UpstreamFlowSchema.setClass(UpstreamFlow)
