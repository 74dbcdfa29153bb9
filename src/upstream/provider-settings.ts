import { z } from 'zod'
import { domain } from '../config/setting-types.ts'
import type { ProviderKindName } from '../entities/provider.ts'

const TRUSTS = ['never', 'claim', 'domains'] as const
const SIGN_UPS = ['policy', 'never'] as const

/** What an operator may say of any provider. */
const common = {
  /** Domains of addresses that belong to it. */
  domains: z.array(domain).max(100).default([]),
  /** Whose word counts for an address: the provider's, its word on its own domains, or nobody's. */
  emailTrust: z.enum(TRUSTS).default('claim'),
  /** Whether people whom nobody knows here may come by it. */
  signUp: z.enum(SIGN_UPS).default('policy'),
  /** Who types an address of its domains signs in over there, and nowhere else. */
  enforceForDomains: z.boolean().default(false),
  /** Its word on how the person signed in counts here. */
  trustAmr: z.boolean().default(false),
}

/** By kind. Unknown members are errors. */
export const SETTINGS = {
  oidc: z.strictObject({ ...common, emailTrust: z.enum(TRUSTS).default('never') }),
  google: z.strictObject({ ...common, hostedDomain: domain.optional() }),
  github: z.strictObject(common),
  apple: z.strictObject({
    ...common,
    teamId: z.string().regex(/^[A-Z0-9]{10}$/),
    keyId: z.string().regex(/^[A-Z0-9]{10}$/),
  }),
  microsoft: z.strictObject({ ...common, tenants: z.array(z.guid().toLowerCase()).default([]) }),
} satisfies Record<ProviderKindName, z.ZodType>

type Common = z.infer<(typeof SETTINGS)['oidc']>
export interface ProviderSettings extends Common {
  readonly hostedDomain?: string | undefined
  readonly teamId?: string | undefined
  readonly keyId?: string | undefined
  readonly tenants?: readonly string[] | undefined
}
