interface Scheme {
  readonly isHttps: boolean
}

/**
 * Names that no other program on the host has: on http a browser sends all cookies of `localhost`
 * to every port, and a plain `session` would be Flask's or Starlette's. On https the prefix makes
 * the browser keep it to this host (SE-03).
 */
export function cookieName(name: string, { isHttps }: Scheme): string {
  return isHttps ? `__Host-${name}` : `gatehouse_${name}`
}

/** The two that bind a sign-in to its browser: a path cannot go with `__Host-`. */
export function bindingCookies({ isHttps }: Scheme): { interaction: string; resume: string } {
  const prefix = isHttps ? '__Secure-' : 'gatehouse_'
  return { interaction: `${prefix}interaction`, resume: `${prefix}resume` }
}
