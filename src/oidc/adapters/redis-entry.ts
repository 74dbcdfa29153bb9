import type { Entry } from './redis-calls.ts'

/** Epochs need only never meet by chance. */
export const EPOCH_BITS = 72

export function modeOf(model: string): 'code' | 'absent' | 'replace' {
  if (model === 'AuthorizationCode') return 'code'
  return model === 'ReplayDetection' ? 'absent' : 'replace'
}

/** Milliseconds, or nothing for ever. */
export function ttlOf(ttl: number | undefined): string {
  return ttl === undefined ? '' : String(Math.round(ttl))
}

/** Field and value in turn; empty values are not stored. */
export function argumentsOf({ payload, accountId, clientId, sessionUid, grantId, bind, lookup }: Entry): string[] {
  const id = lookup?.toString('base64url') ?? ''
  return ['p', payload, 'a', accountId, 'k', accountId ? clientId : '', 's', sessionUid, 'g', grantId, 'b', bind, 'l', id]
}
