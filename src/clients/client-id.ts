import { z } from 'zod'
import { MAX_CLIENT_ID } from '../config/limits.ts'
import { reasonsOf, refused, saying } from './reasons.ts'

/**
 * An id that an operator chose: what a URL, a shell and a form take as it is (RFC 3986 2.3). Those
 * of the server itself begin with its name.
 */
const clientId = z
  .string()
  .max(MAX_CLIENT_ID)
  .regex(/^[A-Za-z0-9][\w.~-]*$/, saying('id_characters'))
  .refine((id) => !/^gatehouse-/i.test(id), saying('id_reserved'))

/** Throws `invalid_input` with the reason. */
export function checkClientId(id: unknown): string {
  const checked = clientId.safeParse(id)
  if (checked.success) return checked.data
  const [reason = { code: 'invalid_format' as const }] = Object.values(reasonsOf(checked.error))
  throw refused({ id: reason })
}
