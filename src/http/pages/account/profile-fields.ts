import type { AttributesInput } from '../../../accounts/attributes/change.ts'
import { ADDRESS_PARTS } from '../../../accounts/attributes/postal-address.ts'
import type { ShownAttributes } from '../../../accounts/profile.ts'
import type { AccountModels } from '../../../views/views.ts'

type Field = NonNullable<AccountModels['account/profile']['fields']>[number]

/** Of an address without `formatted`, which is the same once more. */
const PARTS = ADDRESS_PARTS.filter((part) => part !== 'formatted')
const NAME_OF = (part: string) => `address.${part}`

const text = (autocomplete: string) => ({ attrs: { autocomplete, maxlength: 100 } })
const url = (autocomplete: string) => ({
  attrs: { type: 'url', inputmode: 'url', autocomplete, maxlength: 2048 },
})

/** How each input is offered to browsers (HTML standard, "autofill"). */
const INPUTS: Readonly<Record<string, Pick<Field, 'hint' | 'attrs'>>> = {
  given_name: text('given-name'),
  middle_name: text('additional-name'),
  family_name: text('family-name'),
  nickname: text('nickname'),
  gender: text('sex'),
  birthdate: { hint: 'birthdate', attrs: { autocomplete: 'bday', maxlength: 10 } },
  website: url('url'),
  profile: url('off'),
  zoneinfo: { hint: 'zoneinfo', attrs: { autocomplete: 'off', maxlength: 64 } },
  'address.street_address': text('address-line1'),
  'address.postal_code': text('postal-code'),
  'address.locality': text('address-level2'),
  'address.region': text('address-level1'),
  'address.country': text('country-name'),
}

type Values = Readonly<Record<string, string>>
type Typed = Readonly<Record<string, string | undefined>>

/** What each input of the page shows at first. */
export function inputsOf({ address, ...shown }: ShownAttributes): Values {
  const parts = PARTS.map((part) => [NAME_OF(part), address?.[part] ?? ''] as const)
  return {
    ...Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, value ?? ''])),
    ...(address === undefined ? {} : Object.fromEntries(parts)),
  }
}

/** Inputs with what was typed into them, or else what they show at first. */
export function fieldsOf(inputs: Values, typed: Typed = {}): Field[] {
  return Object.entries(inputs).map(([name, value]) => ({
    field: name,
    label: name.startsWith(NAME_OF('')) ? `profile.${name}` : `claim.${name}`,
    value: typed[name] ?? value,
    ...(INPUTS[name] ?? { attrs: {} }),
  }))
}

/**
 * What a form changes. An empty input clears; one that the form does not have, since the page was
 * older than the operator's choice, stays.
 */
export function changeOf(inputs: Values, typed: Typed): AttributesInput {
  const changed = Object.entries(inputs)
    .filter(([name, before]) => (typed[name]?.trim() ?? before) !== before)
    .map(([name]) => name)
  const plain = changed.filter((name) => !name.startsWith(NAME_OF('')))
  const isMoved = changed.length > plain.length
  const parts = PARTS.map((part) => [part, typed[NAME_OF(part)]] as const)
  return {
    ...Object.fromEntries(plain.map((name) => [name, typed[name]?.trim() || null])),
    ...(isMoved ? { address: Object.fromEntries(parts) } : {}),
  }
}
