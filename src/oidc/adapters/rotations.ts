/** Longer than any request runs between destroying the old id of a session and storing the new one. */
const KEPT_MS = 60_000

/**
 * The library rotates a session's id by destroying the old one and storing the new one. A proof, kept here and in the row, tells
 * the two halves of a rotation from a request that would bring back a session that someone else has ended meanwhile.
 */
export class Rotations {
  readonly #proofs = new Map<string, { readonly proof: string; readonly at: number }>()

  begin(sessionUid: string, proof: string): void {
    const now = Date.now()
    for (const [uid, { at }] of this.#proofs) {
      if (at > now - KEPT_MS) break
      this.#proofs.delete(uid)
    }
    this.#proofs.delete(sessionUid)
    this.#proofs.set(sessionUid, { proof, at: now })
  }

  proofFor(sessionUid: string): string | undefined {
    return this.#proofs.get(sessionUid)?.proof
  }
}
