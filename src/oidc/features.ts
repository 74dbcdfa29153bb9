import type { Configuration } from 'oidc-provider'

/**
 * Every feature of the engine, on or off. `configuration.ts` switches them by it, and the fast path
 * closes when one is on that it was not written for. A new name of the library fails a test.
 */
export const FEATURES = {
  attestClientAuth: false,
  backchannelLogout: true,
  ciba: false,
  claimsParameter: true,
  clientCredentials: true,
  clientIdMetadataDocument: false,
  deviceFlow: false,
  devInteractions: false,
  dPoP: false,
  encryption: false,
  externalSigningSupport: true,
  fapi: false,
  introspection: true,
  jwtIntrospection: true,
  jwtResponseModes: false,
  jwtUserinfo: false,
  mTLS: false,
  openid4vci: false,
  pushedAuthorizationRequests: false,
  registration: false,
  registrationManagement: false,
  requestObjects: false,
  resourceIndicators: true,
  revocation: true,
  richAuthorizationRequests: false,
  rpInitiatedLogout: true,
  rpMetadataChoices: false,
  userinfo: true,
  webMessageResponseMode: false,
} as const satisfies Readonly<Record<string, boolean>>

type FeatureName = keyof typeof FEATURES

/** The engine's setting: each feature as the table says, with what else it needs. */
export function featuresWith(
  settings: Readonly<Partial<Record<FeatureName, object>>>,
): NonNullable<Configuration['features']> {
  return Object.fromEntries(
    Object.entries(FEATURES).map(([name, enabled]) => [
      name,
      { enabled, ...settings[name as FeatureName] },
    ]),
  )
}
