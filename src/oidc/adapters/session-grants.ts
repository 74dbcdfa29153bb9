import type { StoredPayload } from './stored-payload.ts'

export interface SessionGrant {
  readonly grantId: string
  /** The library's own mark: something was issued that outlives the session. */
  readonly isOffline: boolean
}

/** The grants that a stored session names. */
export function grantsIn(session: StoredPayload): SessionGrant[] {
  const { authorizations } = session as {
    authorizations?: Record<string, { grantId?: string; persistsLogout?: boolean }>
  }
  return Object.values(authorizations ?? {}).flatMap(({ grantId, persistsLogout }) =>
    grantId === undefined ? [] : [{ grantId, isOffline: persistsLogout === true }],
  )
}
