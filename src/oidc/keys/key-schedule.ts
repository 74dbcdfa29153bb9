import { LIFETIMES } from '../../config/limits.ts'

/**
 * The moments of a signing key's life: published at once, signs from `activeAt`, only verifies from
 * `retiredAt`, gone at `expiresAt`.
 */
export interface KeyLife {
  readonly activeAt: Date
  readonly retiredAt?: Date | null | undefined
  readonly expiresAt?: Date | null | undefined
}

export interface KeyTiming {
  /** Age at which a key is replaced. */
  readonly rotationDays: number
  /** How long a key is published before it signs: longer than relying parties keep the JWKS. */
  readonly publishSeconds: number
  /** How long a key stays published after it stopped signing: at least as long as the longest token lives. */
  readonly retireSeconds: number
  /** How soon every instance follows a change that another one made. */
  readonly pollSeconds: number
}

export function isPublished({ expiresAt }: KeyLife, now: Date): boolean {
  return !expiresAt || expiresAt > now
}

export function isSigning({ activeAt, retiredAt }: KeyLife, now: Date): boolean {
  return activeAt <= now && (!retiredAt || retiredAt > now)
}

/**
 * Whether an ID token that it signed is still good as a hint. A key that an emergency ended was
 * gone the moment it stopped signing: its thief may have signed anything.
 */
export function verifiesHints({ retiredAt, expiresAt }: KeyLife, now: Date): boolean {
  if (!retiredAt || !expiresAt) return true
  return expiresAt > retiredAt && retiredAt.getTime() + LIFETIMES.hintKeys * 1000 > now.getTime()
}

/** The next moment at which any key changes its state; undefined when none will by itself. */
export function nextChange(keys: readonly KeyLife[], now: Date): Date | undefined {
  const moments = keys.flatMap(({ activeAt, retiredAt, expiresAt }) => [
    activeAt,
    retiredAt,
    expiresAt,
  ])
  const ahead = moments.filter((moment): moment is Date => moment instanceof Date && moment > now)
  return ahead.sort((a, b) => a.getTime() - b.getTime())[0]
}

/** Due early enough that the successor signs when the key has reached its age. */
export function isDue(
  { activeAt }: KeyLife,
  now: Date,
  { rotationDays, publishSeconds }: KeyTiming,
): boolean {
  return now.getTime() >= activeAt.getTime() + rotationDays * 86_400_000 - publishSeconds * 1000
}
