import type { Client, ErrorOut, KoaContextWithOIDC } from 'oidc-provider'

export type { Client, KoaContextWithOIDC }

/** The pages that oidc-provider asks its host to draw; the HTTP floor draws them. */
export interface ProviderPages {
  error(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error): Promise<void> | void
  /** `form` is the provider's own form with its one-time token. */
  confirmLogout(ctx: KoaContextWithOIDC, form: string): Promise<void> | void
  loggedOut(ctx: KoaContextWithOIDC): Promise<void> | void
}
