import { BoundedMap } from './bounded-map.ts'

/** Whether something is to be said of this key: not again before so many milliseconds are over. */
export function seldom(quietMs: number): (key: string) => boolean {
  const told = new BoundedMap<number>(1000)
  return (key) => {
    if ((told.get(key) ?? 0) > Date.now()) return false
    told.set(key, Date.now() + quietMs)
    return true
  }
}
