import { hash } from 'node:crypto'
import { idDigest } from './artifact-keys.ts'

/**
 * The braces are the hash tag: what one script touches on a Cluster has one tag. `lua/looking-on.ts`
 * builds the same names. An account's id stays out of key names, so that no trace of it outlives
 * what was stored of it; SHA-1 only names, it protects nothing.
 */
export const KEYS = {
  artifact: (model: string, name: string): string => `gh:${model}:{${name}}`,
  lookup: (digest: Buffer): string => `gh:lookup:{${digest.toString('base64url')}}`,
  account: (accountId: string): string => `gh:account:{${hash('sha1', accountId)}}`,
  session: (uid: string): string => `gh:session:{${uid}}`,
  scope: (uid: string): string => `gh:scope:{${uid}}`,
  grant: (grantId: string): string => `gh:grant:{${grantId}}`,
}

/** All keys of ours, for `SCAN`. */
export const ALL_KEYS = 'gh:*'

/**
 * The digest of what opens an artifact. A grant's id opens nothing, and scripts that read a token
 * go on to its grant by that name.
 */
export function nameOf(model: string, digest: Buffer, grantId: string): string {
  return model === 'Grant' ? grantId : digest.toString('base64url')
}

/**
 * Of an artifact's key, or a session's pointer: model names begin with a capital, the records
 * around them do not.
 */
export function readArtifactKey(
  key: string,
): { model: string; name: string; digest: Buffer } | undefined {
  const [, model, name] = /^gh:([A-Z]\w*):\{([^}]+)\}$/.exec(key) ?? []
  if (!model || !name) return undefined
  return {
    model,
    name,
    digest: model === 'Grant' ? idDigest(model, name) : Buffer.from(name, 'base64url'),
  }
}
