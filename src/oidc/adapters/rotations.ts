/** Longer than any request runs between reading a session and storing it. */
const KEPT_MS = 60_000

/**
 * What this process knows of sessions that requests hold just now.
 *
 * The library rotates a session's id by destroying the old one and storing the new one. A proof,
 * kept here and in the row, tells the two halves of a rotation from a request that would bring back
 * a session that someone else has ended meanwhile.
 */
export class Rotations {
  readonly #proofs = new Recent<string>()
  readonly #found = new Recent<true>()

  begin(sessionUid: string, proof: string): void {
    this.#proofs.set(sessionUid, proof)
  }

  proofFor(sessionUid: string): string | undefined {
    return this.#proofs.get(sessionUid)
  }

  found(sessionUid: string): void {
    this.#found.set(sessionUid, true)
  }

  /**
   * One that was found, and of which the storage now has no trace, has been lost there: the
   * request that still holds it is late.
   */
  wasFound(sessionUid: string): boolean {
    return this.#found.get(sessionUid) ?? false
  }
}

class Recent<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly at: number }>()

  set(key: string, value: T): void {
    const now = Date.now()
    for (const [old, { at }] of this.#entries) {
      if (at > now - KEPT_MS) break
      this.#entries.delete(old)
    }
    this.#entries.delete(key)
    this.#entries.set(key, { value, at: now })
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value
  }
}
