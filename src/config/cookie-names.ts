/**
 * Names that no other program on the host has: on http a browser sends all cookies of `localhost`
 * to every port, and a plain `session` would be Flask's or Starlette's. On https the prefix makes
 * the browser keep it to this host (SE-03).
 */
export function cookieName(name: string, { isHttps }: { readonly isHttps: boolean }): string {
  return isHttps ? `__Host-${name}` : `gatehouse_${name}`
}
