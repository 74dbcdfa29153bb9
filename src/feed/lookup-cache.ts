import type { Follower } from './announcements.ts'

export interface LookupCacheOptions<T> {
  readonly load: (key: string) => Promise<T | undefined>
  /** Whether changes are heard of; while they are not, an answer is kept for `deafMs` only. */
  readonly isLive: () => boolean
  /** Most entries of each kind, found and absent. */
  readonly max: number
  readonly liveMs?: number
  readonly deafMs?: number
}

interface Entry<T> {
  readonly value: T | undefined
  readonly until: number
}

/**
 * Remembers look-ups, absent ones too, each kind in a bounded store: a flood of made-up keys pushes
 * out no real ones.
 */
export class LookupCache<T extends object> implements Follower {
  readonly #options: Required<LookupCacheOptions<T>>
  readonly #found = new Map<string, Entry<T>>()
  readonly #absent = new Map<string, Entry<T>>()
  readonly #loading = new Map<string, Promise<T | undefined>>()
  #generation = 0

  constructor(options: LookupCacheOptions<T>) {
    this.#options = { liveMs: 300_000, deafMs: 5000, ...options }
  }

  /**
   * One load at a time per key; the same object as long as nothing changed. A failed load is not
   * remembered.
   */
  find(key: string): Promise<T | undefined> {
    const entry = this.#entry(key)
    if (entry) return Promise.resolve(entry.value)
    const running = this.#loading.get(key)
    if (running) return running
    const loading = this.#load(key).finally(() => {
      if (this.#loading.get(key) === loading) this.#loading.delete(key)
    })
    this.#loading.set(key, loading)
    return loading
  }

  /** What is remembered right now. */
  peek(key: string): T | undefined {
    return this.#entry(key)?.value
  }

  changed(key: string): void {
    this.#generation++
    this.#loading.delete(key)
    this.#found.delete(key)
    this.#absent.delete(key)
  }

  missed(): void {
    this.#generation++
    this.#loading.clear()
    this.#found.clear()
    this.#absent.clear()
  }

  get size(): number {
    return this.#found.size + this.#absent.size
  }

  #entry(key: string): Entry<T> | undefined {
    const entry = this.#found.get(key) ?? this.#absent.get(key)
    return entry && entry.until > Date.now() ? entry : undefined
  }

  async #load(key: string): Promise<T | undefined> {
    const generation = this.#generation
    const value = await this.#options.load(key)
    // A change came while the answer was on its way: it may be the old one.
    if (generation !== this.#generation) return value
    const { isLive, liveMs, deafMs, max } = this.#options
    const store = value ? this.#found : this.#absent
    this.#found.delete(key)
    this.#absent.delete(key)
    store.set(key, { value, until: Date.now() + (isLive() ? liveMs : deafMs) })
    if (store.size > max) store.delete(store.keys().next().value ?? '')
    return value
  }
}
