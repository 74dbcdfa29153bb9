import type { Minted } from './adapter.ts'
import { ANSWER, idDigest } from './artifact-keys.ts'
import type { StoredPayload } from './stored-payload.ts'

/**
 * Whose answer it is, and which refresh token it holds: the digest tells whether that one still
 * waits to be used.
 */
export interface KeptAnswer {
  readonly $answer: string
  readonly next: string
}

export function keptAnswer({
  token,
  next,
  sealed,
  seconds,
}: {
  token: string
  next: string
  sealed: string
  seconds: number
}): Minted {
  const kept: KeptAnswer = {
    $answer: sealed,
    next: idDigest('RefreshToken', next).toString('base64url'),
  }
  return { model: ANSWER, id: token, payload: { ...kept }, expiresIn: seconds }
}

export function answerIn(stored: StoredPayload | undefined): KeptAnswer | undefined {
  const { $answer, next } = stored ?? {}
  return typeof $answer === 'string' && typeof next === 'string' ? { $answer, next } : undefined
}

/** Names the successor that an exchange makes, if it keeps its answer. */
export function successorIn(minted: readonly Minted[]): string | undefined {
  return answerIn(minted.find(({ model }) => model === ANSWER)?.payload)?.next
}
