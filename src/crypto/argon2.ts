import { availableParallelism } from 'node:os'

/** What one argon2id digest is made with (RFC 9106 §3.1). */
export interface DigestParameters {
  readonly salt: Buffer
  readonly memoryKib: number
  readonly passes: number
  readonly hashLength: number
  /** The pepper: argon2's secret value K. */
  readonly secret?: Buffer | undefined
}

/** argon2 wherever it runs. A promise that rejects has compared nothing. */
export interface Argon2 {
  digest(text: string, parameters: DigestParameters): Promise<Buffer>
  matches(stored: string, text: string, secret?: Buffer): Promise<boolean>
}

/** Hashes at once: one core stays free for everything else. */
export const HASH_SLOTS = Math.max(1, availableParallelism() - 1)

/**
 * argon2 on this process' own thread pool. The library is loaded when the first hash needs it: the
 * server itself never does.
 */
export const argon2Here: Argon2 = {
  async digest(text, { salt, memoryKib, passes, hashLength, secret }) {
    const { argon2id, hash } = await import('argon2')
    const cost = {
      memoryCost: memoryKib,
      timeCost: passes,
      parallelism: 1,
      hashLength,
      type: argon2id,
      version: 0x13,
    } as const
    return hash(text, { ...cost, salt, raw: true, ...(secret ? { secret } : {}) })
  },
  async matches(stored, text, secret) {
    const { verify } = await import('argon2')
    return verify(stored, text, secret ? { secret } : {})
  },
}
