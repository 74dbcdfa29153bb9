import type { ErrorCode } from '../errors.ts'

/** Where a dead link or a lost sign-in can be begun again, by the page that it was for (UX-14). */
const BY_LINK: Readonly<Record<string, string>> = {
  '/reset-password': '/forgot-password',
  '/verify-email': '/signup',
  '/change-email': '/account/email',
  '/report-compromise': '/forgot-password',
}

/** A way on from an error page; undefined where trying again as it is makes more sense. */
export function wayOn(code: ErrorCode, path: string): string | undefined {
  if (code === 'invalid_link') return BY_LINK[path] ?? '/account'
  if (code === 'interaction_expired') return '/account'
  return code === 'not_found' ? '/' : undefined
}
