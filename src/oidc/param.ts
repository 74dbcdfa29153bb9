/** A request parameter as text; absent, repeated or structured ones are empty. */
export function param(params: Readonly<Record<string, unknown>> | undefined, name: string): string {
  const value = params?.[name]
  return typeof value === 'string' ? value : ''
}
