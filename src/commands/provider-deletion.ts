import type { Removal } from '../accounts/identities/provider-removal.ts'
import { StartupError } from '../errors.ts'
import type { Answer } from './answer.ts'

/** What was done, or why it was not. */
export function deletionAnswer(id: string, { refusal, identities, people }: Removal): Answer {
  if (refusal === 'has_identities')
    throw new StartupError(
      `${id} is connected to ${accounts(people)}. --move-to-email-code disconnects them, and mails each that codes by mail take its place; "provider disable" keeps them.`,
    )
  if (refusal === 'no_email_code')
    throw new StartupError(
      'Codes by mail are not offered (SIGN_IN_METHODS), so nobody can be moved to them.',
    )
  if (refusal === 'busy')
    throw new StartupError(
      `People are signing in with ${id} at this moment. Nothing is changed. "provider disable" ends that; then delete it.`,
    )
  const moved = people > 0 ? ` ${accounts(people)} moved to codes by mail, and told.` : ''
  return { lines: [`${id} is deleted.${moved}`], json: { id, deleted: true, identities, people } }
}

const accounts = (count: number): string => (count === 1 ? '1 account' : `${count} accounts`)
