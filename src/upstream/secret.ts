import type { SecretBox } from '../crypto/secret-box.ts'
import type { ProviderKind } from './kind.ts'
import type { LiveProvider } from './providers.ts'

/** A box of one provider opens for no other. */
export const secretContext = (id: string): string => `provider:${id}`

/** What the token request shows: the stored secret, or what is made of the stored key each time. */
export function secretOf(
  { id, secretBox, clientId, settings }: LiveProvider,
  kind: ProviderKind,
  box: Pick<SecretBox, 'open'>,
): (() => string) | undefined {
  if (!secretBox) return undefined
  const stored = box.open(secretBox, secretContext(id)).toString()
  return () =>
    kind.speaks === 'openid' && kind.secret ? kind.secret(stored, clientId, settings) : stored
}
