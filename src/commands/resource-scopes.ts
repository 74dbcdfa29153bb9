import { StartupError } from '../errors.ts'

/**
 * `read write` are two scopes; `read=Read your notes` is one, described by all that follows its
 * sign.
 */
export function scopesOf(values: readonly string[], option = '--scope') {
  const scopes: string[] = []
  const described: [scope: string, description: string][] = []
  for (const value of values) {
    const [names = '', ...rest] = value.split('=')
    const found = names.split(' ').filter(Boolean)
    scopes.push(...found)
    if (rest.length === 0) continue
    const last = found.at(-1)
    if (last === undefined) throw new StartupError(`${option}: "${value}" describes no scope`)
    if (rest.length > 1)
      throw new StartupError(
        `${option}: "${value}" describes more than one scope; give each of them a value of its own`,
      )
    described.push([last, (rest[0] ?? '').trim()])
  }
  return { scopes, scopeDescriptions: Object.fromEntries(described) }
}
