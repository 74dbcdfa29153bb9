import type { ProviderKindName } from '../../entities/provider.ts'
import type { ProviderKind } from '../kind.ts'
import { apple } from './apple.ts'
import { github } from './github.ts'
import { google } from './google.ts'
import { microsoft } from './microsoft.ts'
import { oidc } from './oidc.ts'

/** All kinds of providers: one file each. */
export const KINDS: Readonly<Record<ProviderKindName, ProviderKind>> = {
  oidc,
  google,
  github,
  apple,
  microsoft,
}
