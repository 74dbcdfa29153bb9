/** Redis cannot be used just now: gone, hanging, out of memory, loading or failing over. */
export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable'
}

/** What a Redis that is up says when it cannot serve; any other reply is a fault of ours. */
const PASSING =
  /^(?:OOM|LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|MISCONF|UNBLOCKED|MOVED|ASK|NOAUTH|WRONGPASS|NOPERM)\b/

export function translate(error: unknown): unknown {
  if (error instanceof RedisUnavailable) return error
  const { name, message } = (error ?? {}) as { name?: string; message?: string }
  if (name === 'ReplyError' && !PASSING.test(message ?? '')) return error
  return new RedisUnavailable(message ?? 'unknown', { cause: error })
}
