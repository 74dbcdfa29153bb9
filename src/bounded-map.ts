/** A map of limited size: the oldest key makes room, so that no flood of keys fills the memory. */
export class BoundedMap<V> extends Map<string, V> {
  readonly #max: number

  constructor(max: number) {
    super()
    this.#max = max
  }

  override set(key: string, value: V): this {
    if (!this.has(key) && this.size >= this.#max) {
      const oldest = this.keys().next().value
      if (oldest !== undefined) this.delete(oldest)
    }
    return super.set(key, value)
  }
}
