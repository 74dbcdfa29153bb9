import { z } from 'zod'
import { ADDRESS_PARTS } from '../../../accounts/attributes/postal-address.ts'
import { STANDARD_ATTRIBUTES } from '../../../accounts/attributes/standard.ts'
import { MAX_NAME, NAME_PATTERN } from '../../../accounts/person-name.ts'
import { PLAIN_IMAGE_PATTERN } from '../../../accounts/profile-checks.ts'
import { named, phoneNumber } from './fields.ts'

/** Days that every year and month has, and years that are over. */
const PLAIN_DATE_PATTERN = '^(?:0000|1[89][0-9]{2})-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])$'
/** Zones that every program knows. */
const PLAIN_ZONE_PATTERN =
  '^(?:Africa/Cairo|America/(?:New_York|Sao_Paulo)|Asia/Tokyo|Europe/(?:Berlin|London)|UTC)$'

const field = (max: number) => z.string().min(1).max(max)
const line = field(400).meta({
  maxLength: MAX_NAME,
  pattern: NAME_PATTERN,
  description: 'One line without markup and URLs.',
})
const url = field(2048).meta({
  pattern: PLAIN_IMAGE_PATTERN,
  description: 'An http or https URL.',
})

const FORMS = {
  given_name: line,
  middle_name: line,
  family_name: line,
  nickname: line,
  gender: line,
  birthdate: field(32).meta({
    maxLength: 10,
    pattern: PLAIN_DATE_PATTERN,
    description: '`1815-12-10`; `1815` without the day, `0000-12-10` without the year.',
  }),
  website: url,
  profile: url,
  zoneinfo: field(64).meta({
    pattern: PLAIN_ZONE_PATTERN,
    description: 'A time zone of the IANA database, such as `Europe/Berlin`.',
  }),
} as const satisfies Readonly<Record<(typeof STANDARD_ATTRIBUTES)[number], z.ZodType>>

type Parts = Record<(typeof ADDRESS_PARTS)[number], z.ZodOptional<typeof line>>
const Address = named(
  'Address',
  Object.fromEntries(ADDRESS_PARTS.map((part) => [part, line.optional()])) as Parts,
)

const cleared = <Form extends z.ZodType>(form: Form) => form.nullable().optional()
type Fields = { [Name in keyof typeof FORMS]: ReturnType<typeof cleared<(typeof FORMS)[Name]>> }
const FIELDS = Object.fromEntries(
  Object.entries(FORMS).map(([name, form]) => [name, cleared(form)]),
) as Fields

export const ProfileBody = named('ProfileBody', {
  ...FIELDS,
  address: Address.nullable().optional(),
  phone_number: phoneNumber,
})

/** Only fields that the operator has turned on, and the phone number. */
export const ProfileAnswer = named('ProfileAnswer', {
  profile: z.strictObject({
    ...(Object.fromEntries(
      STANDARD_ATTRIBUTES.map((name) => [name, z.string().nullable().optional()]),
    ) as Record<keyof typeof FORMS, z.ZodOptional<z.ZodNullable<z.ZodString>>>),
    address: z.record(z.string(), z.string()).nullable().optional(),
    phone_number: z.string().nullable(),
  }),
})
