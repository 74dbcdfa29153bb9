import { randomBytes } from 'node:crypto'
import { AppError } from '../errors.ts'
import { type Argon2, argon2Here, HASH_SLOTS } from './argon2.ts'
import { BoundedQueue } from './bounded-queue.ts'
import { normalizePassword } from './normalize-password.ts'
import { deriveKey } from './token.ts'

export interface PasswordHasherOptions {
  readonly memoryKib: number
  readonly passes: number
  /** Where it is computed; default in this process. */
  readonly argon2?: Argon2
  /** Hashes at once; default all cores but one, at least one. */
  readonly slots?: number
  /** Callers that may wait for a slot; default 64. */
  readonly queueLimit?: number
  /** How long one of them waits at most; default 2000. */
  readonly deadlineMs?: number
  /**
   * Secrets kept outside the database, newest first; without one a stolen table cannot be searched
   * (PW-08).
   */
  readonly peppers?: readonly string[]
}

export interface HasherStats {
  /** argon2id computations begun since the start. */
  readonly evaluations: number
  readonly running: number
  readonly waiting: number
  readonly refused: number
}

/** Runs the work when its turn has come. */
type Admission = <T>(work: () => Promise<T>) => Promise<T>

const SALT_BYTES = 16
const HASH_BYTES = 32

interface Pepper {
  readonly id: string
  readonly secret: Buffer
}

const STORED =
  /^\$argon2(?<type>id|i|d)\$v=(?<version>\d+)\$(?<parameters>[a-z]+=\w+(?:,[a-z]+=\w+)*)\$[\w+/]+\$[\w+/]+$/

/**
 * argon2id (RFC 9106) behind admission control. Every path that proves or sets a password goes
 * through one instance.
 */
export class PasswordHasher {
  readonly #memoryKib: number
  readonly #passes: number
  readonly #peppers: readonly Pepper[]
  readonly #argon2: Argon2
  readonly #queue: BoundedQueue
  readonly #decoy: string
  #evaluations = 0

  constructor(options: PasswordHasherOptions) {
    const {
      memoryKib,
      passes,
      argon2 = argon2Here,
      slots = HASH_SLOTS,
      queueLimit = 64,
      deadlineMs = 2000,
      peppers = [],
    } = options
    this.#memoryKib = memoryKib
    this.#passes = passes
    this.#argon2 = argon2
    this.#peppers = peppers.map((secret) => ({
      id: deriveKey(secret, 'pepper id').toString('hex', 0, 8),
      secret: deriveKey(secret, 'pepper'),
    }))
    this.#queue = new BoundedQueue({ slots, queueLimit, deadlineMs })
    // A hash that no password has: checking against it costs what checking against a real one does (EN-02).
    this.#decoy = this.#phc(randomBytes(SALT_BYTES), randomBytes(HASH_BYTES))
  }

  get stats(): HasherStats {
    return { evaluations: this.#evaluations, ...this.#queue.stats }
  }

  /**
   * Throws `unavailable` when a hash that is asked for now would be refused: before anything else
   * is done for the caller.
   */
  refuseWhenFull(): void {
    this.#queue.refuseWhenFull()
  }

  /**
   * A PHC string. Throws `password_rejected` over the hard cap and `unavailable` when too many
   * hashes wait.
   */
  hash(password: string): Promise<string> {
    return this.#hash(password, (work) => this.#queue.run(work))
  }

  /** The server's own at its start: requests neither delay nor refuse it. */
  hashOfStart(password: string): Promise<string> {
    return this.#hash(password, (work) => work())
  }

  async #hash(password: string, admitted: Admission): Promise<string> {
    const text = normalizePassword(password)
    if (text === undefined)
      throw new AppError('password_rejected', { fields: { password: 'too_long' } })
    const salt = randomBytes(SALT_BYTES)
    const cost = { memoryKib: this.#memoryKib, passes: this.#passes, hashLength: HASH_BYTES }
    const parameters = { ...cost, salt, secret: this.#peppers[0]?.secret }
    return this.#phc(
      salt,
      await this.#evaluate(() => this.#argon2.digest(text, parameters), admitted),
    )
  }

  /**
   * Checks a password; `hash` undefined costs the same and is never valid. Only a comparison that
   * was made says "not valid": throws `unavailable` when too many wait, and `Error` if the stored
   * hash or its pepper is unusable.
   */
  async verify(
    hash: string | undefined,
    password: string,
  ): Promise<{ valid: boolean; needsRehash: boolean }> {
    const stored = hash ?? this.#decoy
    const { type, version, parameters } = STORED.exec(stored)?.groups ?? {}
    if (!parameters) throw new Error('a stored password hash is malformed')
    const { m, t, keyid } = Object.fromEntries(
      parameters.split(',').map((parameter) => parameter.split('=')),
    ) as Record<string, string>
    const pepper = this.#peppers.find(({ id }) => id === keyid)
    if (keyid && !pepper) throw new Error(`PEPPERS: the pepper with the id ${keyid} is missing`)
    const text = normalizePassword(password)
    if (text === undefined) return { valid: false, needsRehash: false }
    const matches = await this.#evaluate(
      () => this.#argon2.matches(stored, text, pepper?.secret),
      (work) => this.#queue.run(work),
    )
    const valid = matches && hash !== undefined
    const isWeaker =
      type !== 'id' ||
      version !== '19' ||
      !(Number(m) >= this.#memoryKib) ||
      !(Number(t) >= this.#passes)
    return { valid, needsRehash: valid && (isWeaker || keyid !== this.#peppers[0]?.id) }
  }

  /**
   * The PHC string in the order that RFC 9106's authors write, which the library does not; `keyid`
   * names the pepper.
   */
  #phc(salt: Buffer, digest: Buffer): string {
    const keyId = this.#peppers[0] ? `,keyid=${this.#peppers[0].id}` : ''
    return `$argon2id$v=19$m=${this.#memoryKib},t=${this.#passes},p=1${keyId}$${base64(salt)}$${base64(digest)}`
  }

  #evaluate<T>(work: () => Promise<T>, admitted: Admission): Promise<T> {
    return admitted(() => {
      this.#evaluations += 1
      return work()
    })
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}
