import { sentencesOf } from '../clients/reasons.ts'
import { AppError, StartupError } from '../errors.ts'
import { ACCOUNT_WORDS } from './account-words.ts'

/**
 * Runs one command's work; a refusal becomes its reasons, one a line, in the words of the command's
 * own options. `absent` says what `not_found` means here, `conflict` what is in the way.
 */
export async function explained<T>(
  work: () => Promise<T>,
  options: Readonly<Record<string, string>>,
  absent?: string,
  conflict?: string,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'not_found' && absent) throw new StartupError(absent, { cause: error })
    if (error.code === 'conflict' && conflict) throw new StartupError(conflict, { cause: error })
    const reasons = Object.entries(sentencesOf(error)).map(
      ([field, reason]) => `${named(field, options)}: ${ACCOUNT_WORDS[reason] ?? reason}`,
    )
    throw new StartupError(reasons.length > 0 ? reasons.join('\n') : error.message, {
      cause: error,
    })
  }
}

/** The option of a field, and which of its values: `redirectUris.1` is `--redirect (value 2)`. */
function named(field: string, options: Readonly<Record<string, string>>): string {
  const [, name = field, index] = /^(.*)\.(\d+)$/.exec(field) ?? []
  const option = options[name] ?? name
  return index === undefined ? option : `${option} (value ${Number(index) + 1})`
}
