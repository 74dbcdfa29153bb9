import type { AuditSink } from '../../audit/event.ts'
import type { SecretBox } from '../../crypto/secret-box.ts'
import type { EntityManager } from '../../database/database.ts'
import { SigningKey } from '../../entities/index.ts'
import type { SigningAlg } from '../../entities/signing-key.ts'
import { announce } from '../../feed/changes.ts'
import type { HintKey } from './hints.ts'
import {
  isDue,
  isPublished,
  isSigning,
  type KeyTiming,
  nextChange,
  verifiesHints,
} from './key-schedule.ts'
import { newKey } from './new-key.ts'

export const SIGNING_ALGS: readonly SigningAlg[] = ['ES256', 'RS256', 'PS256', 'EdDSA']

/** A private JWK as the provider takes it. */
export type PrivateJwk = Record<string, unknown> & { kid: string; alg: string; use: 'sig' }

/** The keys of this moment, and when they will be other ones. */
export interface KeySet {
  /**
   * First those that sign, by algorithm, the most usual first: there are takers of the first. Then
   * what verifies, the same way.
   */
  readonly keys: readonly PrivateJwk[]
  /**
   * Public halves of those, and of the ones that signed in the last years and were not ended in an
   * emergency.
   */
  readonly hintKeys: readonly HintKey[]
  /** Changes with every key and state. */
  readonly fingerprint: string
  readonly nextChange: Date | undefined
}

export interface SigningKeysDeps {
  readonly em: EntityManager
  readonly box: SecretBox
  readonly timing: KeyTiming
  readonly audit: AuditSink
}

/**
 * Signing keys in PostgreSQL, private halves encrypted. All moments of a rotation are written when
 * it is made, so that every instance changes over by its clock.
 */
export class SigningKeys {
  readonly #em: EntityManager
  readonly #box: SecretBox
  readonly #timing: KeyTiming
  readonly #audit: AuditSink

  constructor({ em, box, timing, audit }: SigningKeysDeps) {
    this.#em = em
    this.#box = box
    this.#timing = timing
    this.#audit = audit
  }

  /** Makes the first key of every algorithm that has none; of several instances at once, one does. */
  async ensure(): Promise<void> {
    const present = await this.#em.fork().findAll(SigningKey, { fields: ['alg'] })
    const missing = SIGNING_ALGS.filter((alg) => !present.some((key) => key.alg === alg))
    const made = await Promise.all(missing.map(async (alg) => ({ alg, ...(await newKey(alg)) })))
    if (made.length === 0) return
    await this.#locked(async (em) => {
      const now = new Date()
      for (const { alg, kid, publicJwk, privateJwk } of made)
        if ((await em.count(SigningKey, { alg })) === 0)
          em.create(SigningKey, {
            kid,
            alg,
            publicJwk,
            privateBox: this.#seal(kid, privateJwk),
            activeAt: now,
          })
    })
  }

  async load(now = new Date()): Promise<KeySet> {
    const rows = await this.#em
      .fork()
      .findAll(SigningKey, { orderBy: { activeAt: 'desc', kid: 'asc' } })
    const place = ({ alg }: SigningKey) => SIGNING_ALGS.indexOf(alg)
    const published = rows
      .filter((key) => isPublished(key, now))
      .toSorted((one, other) => place(one) - place(other))
    const ordered = [
      ...published.filter((key) => isSigning(key, now)),
      ...published.filter((key) => !isSigning(key, now)),
    ]
    const hintKeys = rows.filter((key) => verifiesHints(key, now))
    const fingerprint = [
      ...ordered.map((key) => `${key.kid}:${isSigning(key, now)}`),
      ...hintKeys.map(({ kid }) => kid),
    ].join(' ')
    return {
      keys: ordered.map((key) => this.#open(key)),
      hintKeys,
      fingerprint,
      nextChange: nextChange(published, now),
    }
  }

  async list(): Promise<SigningKey[]> {
    return this.#em.fork().findAll(SigningKey, { orderBy: { alg: 'asc', activeAt: 'desc' } })
  }

  /**
   * A successor for the algorithm's key: published now, signing after the JWKS cache lifetime,
   * while the old one verifies until its last token has expired (JW-07). In an emergency it signs
   * at once and all old ones are gone, with the tokens they signed: who has got one may have got
   * them all. Undefined if a successor is waiting already.
   */
  async rotate(
    alg: SigningAlg,
    { isEmergency = false }: { isEmergency?: boolean } = {},
  ): Promise<string | undefined> {
    return this.#rotateIf(
      alg,
      isEmergency,
      (keys, now) => isEmergency || keys.every((key) => key.activeAt <= now),
    )
  }

  /** Replaces the keys that have reached their age; returns what was made. */
  async rotateDue(): Promise<string[]> {
    const made: string[] = []
    for (const alg of SIGNING_ALGS) {
      const due = await this.#em
        .fork()
        .findOne(SigningKey, { alg }, { orderBy: { activeAt: 'desc' } })
      if (!due || !isDue(due, new Date(), this.#timing)) continue
      const kid = await this.#rotateIf(alg, false, (keys, now) =>
        keys.every((key) => isDue(key, now, this.#timing)),
      )
      if (kid) made.push(kid)
    }
    return made
  }

  async #rotateIf(
    alg: SigningAlg,
    isEmergency: boolean,
    condition: (keys: SigningKey[], now: Date) => boolean,
  ): Promise<string | undefined> {
    const { kid, publicJwk, privateJwk } = await newKey(alg)
    return this.#locked(async (em) => {
      const now = new Date()
      const all = await em.find(SigningKey, { alg })
      const keys = all.filter((key) => isPublished(key, now))
      if (!condition(keys, now)) return undefined
      if (isEmergency)
        for (const key of all) if (!isPublished(key, now)) key.expiresAt = key.retiredAt
      const activeAt = isEmergency
        ? now
        : new Date(now.getTime() + this.#timing.publishSeconds * 1000)
      const expiresAt = isEmergency
        ? now
        : new Date(activeAt.getTime() + this.#timing.retireSeconds * 1000)
      for (const key of keys)
        if (isEmergency || !key.retiredAt) Object.assign(key, { retiredAt: activeAt, expiresAt })
      em.create(SigningKey, {
        kid,
        alg,
        publicJwk,
        privateBox: this.#seal(kid, privateJwk),
        activeAt,
      })
      await announce(em, { kind: 'signing_key', id: kid })
      await this.#audit.append(em, { type: 'key_rotated', detail: { kid, alg, isEmergency } })
      return kid
    })
  }

  #locked<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.#em.fork().transactional(async (em) => {
      await em.execute('lock table "signing_key" in share row exclusive mode')
      return work(em)
    })
  }

  #seal(kid: string, privateJwk: Record<string, unknown>): Buffer {
    return this.#box.seal(JSON.stringify(privateJwk), kid)
  }

  #open(key: SigningKey): PrivateJwk {
    const jwk = JSON.parse(this.#box.open(key.privateBox, key.kid).toString('utf8')) as Record<
      string,
      unknown
    >
    return { ...jwk, kid: key.kid, alg: key.alg, use: 'sig' }
  }
}
