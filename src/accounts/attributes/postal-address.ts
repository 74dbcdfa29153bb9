import type { PostalAddress } from '../../entities/account.ts'
import { attributeValue } from './values.ts'

/** Members of the claim `address` (OIDC Core 5.1.1), in the order in which people are asked for them. */
export const ADDRESS_PARTS = [
  'street_address',
  'postal_code',
  'locality',
  'region',
  'country',
  'formatted',
] as const satisfies readonly (keyof PostalAddress)[]
export type AddressPart = (typeof ADDRESS_PARTS)[number]
export type AddressInput = { readonly [Part in AddressPart]?: string | undefined }

/** Parts that say nothing are left out, and of an address without any nothing is kept. */
export function postalAddress(
  given: AddressInput,
  maxLength: number,
): { readonly address: PostalAddress | null; readonly wrong: readonly AddressPart[] } {
  const said = ADDRESS_PARTS.filter((part) => (given[part] ?? '').trim() !== '')
  const parts = said.map(
    (part) => [part, attributeValue('text', given[part] ?? '', maxLength)] as const,
  )
  return {
    address: parts.length > 0 ? Object.fromEntries(parts) : null,
    wrong: parts.flatMap(([part, value]) => (value === undefined ? [part] : [])),
  }
}
