import { hash } from 'node:crypto'

/**
 * The braces are the hash tag: what one script touches on a Cluster has one tag. `lua/functions.ts` builds the same names.
 * An account's id stays out of key names, so that no trace of it outlives what was stored of it; SHA-1 only names, it protects nothing.
 */
export const KEYS = {
  artifact: (model: string, digest: Buffer): string => `gh:${model}:{${digest.toString('base64url')}}`,
  lookup: (digest: Buffer): string => `gh:lookup:{${digest.toString('base64url')}}`,
  account: (accountId: string): string => `gh:account:{${hash('sha1', accountId)}}`,
  session: (uid: string): string => `gh:session:{${uid}}`,
  scope: (uid: string): string => `gh:scope:{${uid}}`,
  grant: (grantId: string): string => `gh:grant:{${grantId}}`,
}

/** All keys of ours, for `SCAN`. */
export const ALL_KEYS = 'gh:*'

/** Of an artifact's key, or a session's pointer: model names begin with a capital, the records around them do not. */
export function readArtifactKey(key: string): { model: string; digest: Buffer } | undefined {
  const [, model, digest] = /^gh:([A-Z]\w*):\{([\w-]{43})\}$/.exec(key) ?? []
  return model && digest ? { model, digest: Buffer.from(digest, 'base64url') } : undefined
}
