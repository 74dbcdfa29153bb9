import type { ErrorCode } from '../errors.ts'
import type { Problems } from './models.ts'
import type { Translator } from './translator.ts'

/**
 * One refusal in words; `field` is the id of the input it belongs to. With a `label` the words are
 * next to the field and the summary names it; without one they are in the summary. Nothing is said
 * twice.
 */
export interface Problem {
  readonly field?: string
  readonly label?: string
  readonly text: string
}

/** What the summary calls a field. */
const LABELS: Readonly<Record<string, string>> = {
  name: 'field.name',
  email: 'field.email',
  username: 'field.email',
  password: 'field.password',
  current_password: 'field.currentPassword',
  code: 'field.anyCode',
  image_url: 'profile.picture',
  phone_number: 'profile.phone',
  terms: 'page.terms',
  confirmation: 'delete.confirmation',
}

/** Codes that concern one field of whatever form they come from. */
const FIELD_OF: Readonly<Record<string, string>> = {
  invalid_credentials: 'password',
  invalid_code: 'code',
  password_rejected: 'password',
}

/** The refusals in words (UX-11): those of fields, or else the one of the whole form. */
export function problemList(
  problems: Problems | undefined,
  translator: Translator,
  passwordMinLength: number,
): Problem[] {
  const fields = Object.entries(problems?.fields ?? {}).map(([field, reason]) => {
    const label = LABELS[field] ?? [`claim.${field}`, `profile.${field}`].find(translator.has)
    return {
      field,
      text: reasonText(field, reason),
      ...(label ? { label: translator.t(label) } : {}),
    }
  })
  if (fields.length > 0 || !problems?.code) return fields
  const field = FIELD_OF[problems.code]
  return [
    {
      text: problemText({ ...problems, code: problems.code }, translator),
      ...(field ? { field } : {}),
    },
  ]

  /**
   * Reasons that are worded for the field come first: `password_too_short`, else `too_short`, else
   * a general one.
   */
  function reasonText(name: string, reason: string): string {
    const key =
      [`reason.${name}_${reason}`, `reason.${reason}`].find(translator.has) ?? 'reason.other'
    return translator.t(key, { count: passwordMinLength })
  }
}

/** The sentence of a code, and when to try again (UX-13). */
export function problemText(
  { code, retryAfterSeconds }: Refusal,
  { t, duration }: Translator,
): string {
  const sentence = t(`problem.${code}`)
  if (retryAfterSeconds)
    return `${sentence} ${t('problem.retryIn', { duration: duration(roundUp(retryAfterSeconds)) })}`
  return code === 'too_many_requests' || code === 'unavailable'
    ? `${sentence} ${t('problem.retrySoon')}`
    : sentence
}

interface Refusal {
  readonly code: ErrorCode
  readonly retryAfterSeconds?: number | undefined
}

/** Seconds as a person would say them: whole minutes from two minutes on. */
function roundUp(seconds: number): number {
  return seconds <= 120 ? Math.ceil(seconds) : Math.ceil(seconds / 60) * 60
}
