import DataLoader from 'dataloader'

const MOST_TOGETHER = 100

/**
 * Reads by key that begin in the same turn of the event loop go out as one: a round trip costs the driver more than what it brings.
 * Nothing is kept. `read` answers in the order of the keys.
 */
export function readTogether<Key, Found>(read: (keys: readonly Key[]) => Promise<readonly Found[]>): (key: Key) => Promise<Found> {
  const loader = new DataLoader(read, { cache: false, batchScheduleFn: setImmediate, maxBatchSize: MOST_TOGETHER })
  return (key) => loader.load(key)
}
