/** Every expected refusal: its HTTP status and the one sentence the outside may read. The list is closed. */
const CATALOGUE = {
  invalid_input: { status: 400, message: 'The request is not valid.' },
  invalid_code: { status: 400, message: 'That code is not valid or has expired.' },
  passkey_unknown: { status: 400, message: 'This passkey is no longer accepted here.' },
  passkey_refused: { status: 400, message: 'This passkey could not be used.' },
  challenge_expired: { status: 400, message: 'The page was open too long. Try again.' },
  interaction_expired: {
    status: 400,
    message:
      'This sign-in has expired or was started in another browser. Go back to the app and try again.',
  },
  invalid_link: { status: 400, message: 'That link is not valid or has expired.' },
  upstream_cancelled: { status: 400, message: 'The sign-in was not finished at the provider.' },
  upstream_invalid: { status: 400, message: 'The answer of the provider was not valid.' },
  invalid_invitation: {
    status: 400,
    message: 'That invitation is not valid, was used or has expired.',
  },
  password_rejected: { status: 400, message: 'That password cannot be used.' },
  invalid_credentials: { status: 401, message: 'The e-mail address or password is incorrect.' },
  invalid_token: { status: 401, message: 'The token is missing, expired or no longer valid.' },
  mfa_required: { status: 401, message: 'A one-time code is required.' },
  already_signed_in: { status: 403, message: 'You are already signed in.' },
  email_unverified: { status: 403, message: 'Confirm your e-mail address first.' },
  registration_closed: {
    status: 403,
    message: 'An account cannot be created here with that address.',
  },
  terms_required: { status: 403, message: 'Accept the terms first.' },
  reauthentication_required: { status: 403, message: 'Sign in again to do this.' },
  forbidden: { status: 403, message: 'This request is not allowed.' },
  method_not_offered: { status: 403, message: 'That way to sign in is not offered here.' },
  not_found: { status: 404, message: 'There is nothing here.' },
  method_not_allowed: { status: 405, message: 'That method is not allowed here.' },
  conflict: { status: 409, message: 'That cannot be done as things are now.' },
  passkey_exists: { status: 409, message: 'This passkey is already in use here.' },
  mfa_already_enabled: { status: 409, message: 'Two-step sign-in is already on.' },
  mfa_setup_replaced: {
    status: 409,
    message: 'A newer set-up of two-step sign-in was begun elsewhere. Use its key.',
  },
  mfa_not_enabled: { status: 409, message: 'Two-step sign-in is not on.' },
  identity_taken: {
    status: 409,
    message: 'That sign-in is connected to another account already.',
  },
  last_way_in: {
    status: 409,
    message: 'That is the last way to sign in to this account. Add another first.',
  },
  payload_too_large: { status: 413, message: 'The request body is too large.' },
  unsupported_media_type: { status: 415, message: 'That content type is not accepted here.' },
  misdirected_request: { status: 421, message: 'This server does not answer for that host.' },
  too_many_requests: { status: 429, message: 'Too many attempts. Wait a moment and try again.' },
  internal_error: { status: 500, message: 'Something went wrong on our side.' },
  upstream_unavailable: {
    status: 503,
    message: 'The provider does not answer. Try again in a moment, or sign in another way.',
  },
  unavailable: { status: 503, message: 'The service is busy or starting. Try again in a moment.' },
} as const

export type ErrorCode = keyof typeof CATALOGUE
export const ERROR_CODES = Object.keys(CATALOGUE) as ErrorCode[]

/** What may accompany a refusal: reasons by field, extra members of the JSON answer, seconds to wait. */
export interface ErrorDetails {
  readonly fields?: Readonly<Record<string, string>>
  /** What the reason of a field names, such as a maximum. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, string | number>>>>
  readonly extra?: Readonly<Record<string, unknown>>
  readonly retryAfterSeconds?: number
  /** The secret of a report ("this wasn't me"), for the page of the person who may make one. */
  readonly report?: string
}

/** An expected refusal. Code, message and details are safe to show; `cause` is for the log only. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails & { readonly cause?: unknown } = {}) {
    const { cause, ...rest } = details
    super(CATALOGUE[code].message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = rest
  }

  get status(): number {
    return CATALOGUE[this.code].status
  }
}

/** Takes the place of a result that was refused; every other fault goes on. */
export function noneIfRefused(error: unknown): undefined {
  if (!(error instanceof AppError)) throw error
}

/**
 * A fault the operator can mend (configuration, port, database, a key that is missing): one clear
 * sentence, no stack. No refusal: a use case throws `AppError`.
 */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}

/** The public sentence of a code, for documents that list the catalogue. */
export function errorInfo(code: ErrorCode): { status: number; message: string } {
  return CATALOGUE[code]
}
