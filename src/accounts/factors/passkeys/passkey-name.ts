import { AppError } from '../../../errors.ts'
import { NAME_PATTERN } from '../../person-name.ts'

export const MAX_PASSKEY_NAME = 60

const NAME = new RegExp(NAME_PATTERN, 'u')

/** As the person wrote it, in one line; null for nothing. Throws `invalid_input`. */
export function passkeyName(submitted: string | undefined): string | null {
  const name = submitted?.normalize('NFC').trim()
  if (!name) return null
  if ([...name].length > MAX_PASSKEY_NAME)
    throw new AppError('invalid_input', { fields: { name: 'too_long' } })
  if (!NAME.test(name)) throw new AppError('invalid_input', { fields: { name: 'invalid_text' } })
  return name
}
