import type { Problems } from '../views/views.ts'

/** A code of an authenticator is no mailed one: there is none to ask for, but a next one to wait for. */
export function totpProblems(problems: Problems | undefined): Problems | undefined {
  return problems?.code === 'invalid_code' ? { fields: { code: 'wrong' } } : problems
}
