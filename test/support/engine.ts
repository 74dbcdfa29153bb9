/** A module of the library's own, for what it tells nobody: its lists, and the settings it really uses. */
export async function engineModule<T>(path: string): Promise<T> {
  const { default: own, ...named } = (await import(`oidc-provider/lib/${path}.js`)) as {
    default: unknown
  }
  return (own ?? named) as T
}
