/**
 * Where the links in mail lead. Every one of these pages answers GET without spending the token in
 * it (EM-04).
 */
export const LINK_PATHS = {
  signIn: '/login',
  signUp: '/signup',
  forgotPassword: '/forgot-password',
  verifyEmail: '/verify-email',
  changeEmail: '/change-email',
  undoEmail: '/undo-email',
  resetPassword: '/reset-password',
  reportCompromise: '/report-compromise',
  keepAccount: '/keep-account',
  recover: '/recover',
  recoverLink: '/recover/link',
  stopRecovery: '/recover/stop',
  invitation: '/invitation',
} as const

/** An absolute URL under the issuer, the only source of links (EM-05). */
export function link(
  issuer: string,
  path: string,
  params: Readonly<Record<string, string>> = {},
): string {
  const url = new URL(path, issuer)
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value)
  if (url.origin !== new URL(issuer).origin)
    throw new Error(`a link may not leave the issuer: ${path}`)
  return url.href
}

/** Where people get in again who cannot sign in: by a new password, unless nobody signs in by one. */
export function regainPath(hasPasswords: boolean): string {
  return hasPasswords ? LINK_PATHS.forgotPassword : LINK_PATHS.recover
}

/** The page of "this wasn't me", where our own pages offer it. */
export function reportPath(secret: string): string {
  return `${LINK_PATHS.reportCompromise}?token=${secret}`
}
