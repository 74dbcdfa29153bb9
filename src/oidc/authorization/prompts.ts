/** In the order of discovery. */
export const PROMPTS = ['none', 'login', 'consent', 'select_account', 'create'] as const

/**
 * Without the values that nobody knows, beside at least one that we know. `none` is alone, or
 * refused (OIDC Core 3.1.2.1).
 */
export function knownPrompts(prompt: string): string {
  const values = prompt.split(' ')
  const known = PROMPTS.filter((name) => values.includes(name))
  return known.length === 0 || known.includes('none') ? prompt : known.join(' ')
}
