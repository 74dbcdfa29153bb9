import DataLoader from 'dataloader'

const MOST_AT_ONCE = 100

/**
 * Calls by key that begin in the same turn of the event loop go out as one: a round trip costs the
 * driver more than what it brings. Nothing is kept. `call` answers in the order of the keys, of
 * which some may be the same.
 */
export function batched<Key, Answer>(
  call: (keys: readonly Key[]) => Promise<readonly Answer[]>,
): (key: Key) => Promise<Answer> {
  const loader = new DataLoader(call, {
    cache: false,
    batchScheduleFn: setImmediate,
    maxBatchSize: MOST_AT_ONCE,
  })
  return (key) => loader.load(key)
}
