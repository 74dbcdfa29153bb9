import type { z } from 'zod'
import { AppError } from '../errors.ts'
import { SENTENCES } from './reason-sentences.ts'

export type ReasonCode = keyof typeof SENTENCES
export type ReasonValues = Readonly<Record<string, string | number>>

/** Why one field is refused: a word of the catalogue, and what its sentence names. */
export interface Reason {
  readonly code: ReasonCode
  readonly values?: ReasonValues
}

/** The message of a zod check: a word of the catalogue. */
export const saying = (code: ReasonCode): ReasonCode => code

export function inWords({ code, values = {} }: Reason): string {
  return SENTENCES[code].replace(/\{(\w+)\}/g, (_all, name: string) => String(values[name] ?? ''))
}

/** The refusal of an input, with the reason for each field. */
export function refused(reasons: Readonly<Record<string, Reason>>): AppError {
  const all = Object.entries(reasons)
  return new AppError('invalid_input', {
    fields: Object.fromEntries(all.map(([field, { code }]) => [field, code])),
    values: Object.fromEntries(
      all.flatMap(([field, { values }]) => (values ? [[field, values]] : [])),
    ),
  })
}

/** What the reasons of a refusal say, by field. */
export function sentencesOf({ details }: AppError): Record<string, string> {
  const said = Object.entries(details.fields ?? {}).map(([field, code]) => {
    const values = details.values?.[field]
    return [field, isCode(code) ? inWords({ code, ...(values ? { values } : {}) }) : code]
  })
  return Object.fromEntries(said) as Record<string, string>
}

/** One reason a field, named by its path: of several the first. */
export function reasonsOf(error: z.ZodError): Record<string, Reason> {
  const named = error.issues.map(
    (issue) =>
      [
        issue.path.join('.') ||
          (issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : 'input'),
        reasonOf(issue),
      ] as const,
  )
  return Object.fromEntries(named.toReversed())
}

function reasonOf(issue: z.core.$ZodIssue): Reason {
  if (isCode(issue.message)) {
    const { params } = issue as { readonly params?: ReasonValues }
    return { code: issue.message, ...(params ? { values: params } : {}) }
  }
  const { code } = issue
  if (code === 'unrecognized_keys') return { code: 'unknown_field' }
  if (code === 'invalid_type')
    return issue.input === undefined && issue.message.endsWith('undefined')
      ? { code: 'required' }
      : { code, values: { expected: issue.expected } }
  if (code === 'invalid_value')
    return { code: 'not_one_of', values: { values: issue.values.join(', ') } }
  if (code === 'too_big')
    return { code: 'too_long', values: { max: measured(issue.maximum, issue.origin) } }
  if (code === 'too_small')
    return { code: 'too_short', values: { min: measured(issue.minimum, issue.origin) } }
  return { code: 'invalid_format' }
}

function measured(bound: number | bigint, of: string): string {
  return of === 'string' ? `${bound} characters long` : String(bound)
}

function isCode(text: string): text is ReasonCode {
  return Object.hasOwn(SENTENCES, text)
}
