/**
 * Bits of randomness by kind, 256 at least. Each makes another length of text, so that a token is
 * looked for in one place only.
 */
const BITS: ReadonlyMap<string, number> = new Map([
  ['AccessToken', 256],
  ['ClientCredentials', 262],
  ['RefreshToken', 268],
])
const BITS_PER_CHARACTER = 6

/** Characters of the tokens whose kind a request may not name (introspection, revocation). */
export const TOKEN_LENGTHS: ReadonlyMap<string, number> = new Map(
  [...BITS].map(([kind, bits]) => [kind, Math.ceil(bits / BITS_PER_CHARACTER)]),
)

/** The provider's `formats.bitsOfOpaqueRandomness`. */
export function bitsOfOpaqueRandomness(_ctx: unknown, { kind }: { readonly kind: string }): number {
  return BITS.get(kind) ?? 256
}
