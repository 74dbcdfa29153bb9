import { AppError, type ErrorCode } from '../errors.ts'

/** Why nobody came in by a provider, for the audit trail and the operator; people read the code's sentence. */
const CODES = {
  /** The person said no over there. */
  cancelled: 'upstream_cancelled',
  /** The provider wants to ask the person first: begin again. */
  start_again: 'upstream_cancelled',
  /** No connection, or a certificate that is not good. */
  unreachable: 'upstream_unavailable',
  slow: 'upstream_unavailable',
  /** 5xx, or what is no answer of such a server at all. */
  broken: 'upstream_unavailable',
  /** It sends the browser back with word that it cannot just now; anybody can write that. */
  busy: 'upstream_unavailable',
  /** It does not know this client, or not by this secret: the operator's to mend. */
  client_refused: 'upstream_unavailable',
  /** It refused the request with an error of another kind. */
  refused: 'upstream_invalid',
  /** The code is spent, old or another's. */
  code: 'upstream_invalid',
  /** `state` or `iss` of the callback is missing or another's. */
  callback: 'upstream_invalid',
  /** A claim of the ID token is missing or another's: issuer, audience, nonce, time. */
  claims: 'upstream_invalid',
  signature: 'upstream_invalid',
  /** It speaks of an issuer that it is not. */
  issuer: 'upstream_invalid',
  /** What it says of the person cannot be used. */
  profile: 'upstream_invalid',
  /** The person's account over there is not of those that may come. */
  not_accepted: 'upstream_invalid',
  /** A logout token that is none, or one that was heard before. */
  logout_token: 'upstream_invalid',
} as const satisfies Record<string, ErrorCode>

export type UpstreamReason = keyof typeof CODES

export class UpstreamRefusal extends AppError {
  readonly reason: UpstreamReason

  constructor(reason: UpstreamReason, cause?: unknown, retryAfterSeconds?: number) {
    super(CODES[reason], {
      cause,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    })
    this.reason = reason
  }
}
