import { AppError } from '../../errors.ts'

export const RETRY_AFTER_SECONDS = 1

/**
 * The storage cannot be used just now. `statusCode` is what oidc-provider answers with: never a
 * success that did not happen (TK-10).
 */
export class StoreUnavailable extends AppError {
  readonly statusCode = 503

  constructor(cause: unknown) {
    super('unavailable', { retryAfterSeconds: RETRY_AFTER_SECONDS, cause })
  }
}
