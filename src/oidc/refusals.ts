import { errors, type Provider } from 'oidc-provider'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger/logger.ts'
import { seldom } from '../seldom.ts'
import { UNTIED } from './pkce.ts'

/** What is wrong with the request: anybody who has the code may hear it. */
const MISTAKES: Readonly<Record<string, string>> = {
  'code_verifier must be provided':
    'code_verifier is missing: the authorization request had a code_challenge',
  [UNTIED]: UNTIED,
  'unsupported code_challenge_method':
    'code_verifier came, but the authorization request had no code_challenge',
  'code_verifier does not match code_challenge':
    'code_verifier does not match the code_challenge of the authorization request',
  'authorization code redirect_uri mismatch':
    'redirect_uri is not the one of the authorization request',
}

const USED = 'was used before'
const REVOKED = 'the authorization was revoked or has ended'
/** What became of the code or token: for a client that has proven itself, whose own it is. */
const FATES: Readonly<Record<string, string>> = {
  'authorization code is expired': 'the authorization code has expired',
  'authorization code already consumed': `the authorization code ${USED}`,
  'refresh token is expired': 'the refresh token has expired',
  'refresh token already used': `the refresh token ${USED}`,
  'already consumed, expired or revoked': `the code or token ${USED}`,
  'grant not found': REVOKED,
  'grant is expired': REVOKED,
  'authorization code invalid (referenced account not found)': REVOKED,
  'refresh token invalid (referenced account not found)': REVOKED,
}

const AUTHENTICATED = ['grant.error', 'introspection.error', 'revocation.error']
const WITH_BODIES = [...AUTHENTICATED, 'userinfo.error', 'end_session_confirm.error']
/** A client whose every request fails is one line a minute for each reason. */
const QUIET_MS = 60_000

interface Refused {
  readonly state?: Readonly<Record<string, unknown>>
  readonly oidc?: {
    readonly client?: { readonly clientId: string; readonly clientAuthMethod?: string }
  }
  body?: unknown
}

/**
 * Says why: to clients that authenticated, of what is their own; to others, what is wrong with
 * their request. What is unknown, somebody else's or forgotten has one answer. The log has the
 * reason of every refusal, never the assertion, code or token itself.
 */
export function explainRefusals(provider: Provider, logger: Logger): void {
  const log = quietly(logger)
  onErrors(provider, AUTHENTICATED, (ctx, error) => {
    const reason = error.error_detail ?? error.error_description ?? error.message
    log({
      clientId: ctx.oidc?.client?.clientId,
      error: error.message,
      reason,
      requestId: ctx.state?.requestId,
    })
    if (error instanceof errors.InvalidGrant) tell(ctx, reason)
  })
}

/**
 * A body that turns out too large while it comes in chunks is 413, as one that says so: for the
 * library it is a form it cannot read.
 */
export function refuseLargeBodies(provider: Provider): void {
  onErrors(provider, WITH_BODIES, (_ctx, { cause }) => {
    if (cause instanceof Error && cause.message === 'request entity too large')
      throw new AppError('payload_too_large')
  })
}

type Listener = (
  ctx: Refused,
  error: Error & { readonly error_detail?: string; readonly error_description?: string },
) => void

function onErrors(provider: Provider, events: readonly string[], listener: Listener): void {
  const on = provider.on.bind(provider) as (event: string, listener: Listener) => unknown
  for (const event of events) on(event, listener)
}

function tell(ctx: Refused, reason: string): void {
  const { clientAuthMethod = 'none' } = ctx.oidc?.client ?? {}
  const isProven = clientAuthMethod !== 'none'
  const description = MISTAKES[reason] ?? (isProven ? FATES[reason] : undefined)
  if (description !== undefined)
    ctx.body = { ...(ctx.body as object), error_description: description }
}

function quietly(logger: Logger) {
  const isNew = seldom(QUIET_MS)
  return ({
    clientId,
    ...refusal
  }: {
    clientId: string | undefined
    error: string
    reason: string
    requestId: unknown
  }) => {
    if (isNew(`${clientId} ${refusal.reason}`))
      logger.info({ event: 'client.refused', clientId, ...refusal }, 'client refused')
  }
}
