import type { PostalAddress } from '../../entities/account.ts'
import type { AttributeDefinition, AttributeType } from '../../entities/attribute-definition.ts'
import { type AddressInput, postalAddress } from './postal-address.ts'
import { isField, type StandardAttribute } from './standard.ts'
import { attributeValue } from './values.ts'

/** `null` clears, absence keeps. */
export type AttributesInput = {
  readonly [Name in StandardAttribute]?: string | null | undefined
} & { readonly address?: AddressInput | null | undefined }

const REASONS: Readonly<Record<Exclude<AttributeType, 'address'>, string>> = {
  text: 'invalid_text',
  date: 'invalid_date',
  url: 'invalid_url',
  zone: 'invalid_zone',
}

export interface CheckedAttributes {
  /** Undefined: it stays as it is. */
  readonly address: PostalAddress | null | undefined
  readonly values: ReadonlyMap<string, string | null>
  /** Reasons by field. */
  readonly faults: Readonly<Record<string, string>>
}

/** What is wanted, in the spelling in which it is kept; a field that is not there is unknown. */
export function checkAttributes(
  wanted: AttributesInput,
  definitionOf: (name: string) => AttributeDefinition | undefined,
): CheckedAttributes {
  const faults: Record<string, string> = {}
  const values = new Map<string, string | null>()
  let address: PostalAddress | null | undefined
  for (const [name, value] of Object.entries(wanted)) {
    if (value === undefined) continue
    const definition = isField(name) ? definitionOf(name) : undefined
    if (!definition) faults[name] = 'unknown_field'
    else if (name === 'address' || definition.type === 'address')
      address = checkAddress(value === null ? {} : (value as AddressInput), definition, faults)
    else if (value === null) values.set(name, null)
    else {
      const kept =
        typeof value === 'string'
          ? attributeValue(definition.type, value, definition.maxLength)
          : undefined
      if (kept === undefined) faults[name] = REASONS[definition.type]
      else values.set(name, kept)
    }
  }
  return { address, values, faults }
}

function checkAddress(
  given: AddressInput,
  { maxLength }: AttributeDefinition,
  faults: Record<string, string>,
): PostalAddress | null {
  const { address, wrong } = postalAddress(given, maxLength)
  for (const part of wrong) faults[`address.${part}`] = REASONS.text
  return address
}
