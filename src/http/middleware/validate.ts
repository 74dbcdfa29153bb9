import type { z } from 'zod'
import { AppError } from '../../errors.ts'

/** Why a field is refused. The use cases add reasons of their own (`invalid_email`, `too_common`, …). */
export const FIELD_REASONS = [
  'required',
  'unknown_field',
  'invalid_type',
  'invalid_format',
  'too_short',
  'too_long',
  'invalid_email',
  'invalid_name',
  'invalid_phone',
  'invalid_url',
  'invalid_text',
  'invalid_date',
  'invalid_zone',
  'too_common',
  'too_personal',
] as const
export type FieldReason = (typeof FIELD_REASONS)[number]

const MAX_FIELDS = 20
const MAX_NAME = 64

/**
 * What is left of an untrusted body: exactly what the schema names. Throws `invalid_input` with a
 * reason for each field (IN-01).
 */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const found = parsed.error.issues.flatMap((issue) => reasons(issue, body)).slice(0, MAX_FIELDS)
  // Reversed: of several reasons for a field the first is the one to tell.
  throw new AppError('invalid_input', { fields: Object.fromEntries(found.reverse()) })
}

function reasons(issue: z.core.$ZodIssue, body: unknown): [string, FieldReason][] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => [key.slice(0, MAX_NAME), 'unknown_field'])
  const name = issue.path.join('.') || 'body'
  const isAbsent =
    issue.path.length === 1 &&
    (body as Record<string, unknown>)[String(issue.path[0])] === undefined
  return [[name, isAbsent ? 'required' : reasonOf(issue)]]
}

function reasonOf({ code }: z.core.$ZodIssue): FieldReason {
  if (code === 'invalid_type') return 'invalid_type'
  if (code === 'too_small') return 'too_short'
  return code === 'too_big' ? 'too_long' : 'invalid_format'
}
