import { batched } from '../../batched.ts'
import type { RedisConnection } from '../../redis/redis.ts'
import { WHOLE } from './lua/scripts.ts'
import { type Calls, type Consumed, type Entry, TRACE_MS } from './redis-calls.ts'
import {
  argumentsOf,
  freshEpoch,
  modeOf,
  sessionText,
  spendingArgs,
  spendingKeys,
  ttlOf,
} from './redis-entry.ts'
import { KEYS } from './redis-keys.ts'
import { foundIn } from './redis-standing.ts'

/** One server, or a Sentinel's master: every call is one script and one round trip. */
export function oneServer(redis: RedisConnection): Calls {
  const find = async (...call: Parameters<RedisConnection['evaluate']>) =>
    foundIn(await redis.evaluate(...call))
  const spent = async (
    ...call: Parameters<RedisConnection['evaluate']>
  ): Promise<Consumed | undefined> => {
    const reply = (await redis.evaluate(...call)) as [number, string, string, string] | null
    if (!reply) return undefined
    const [leftMs, clientId, grantId, sessionUid] = reply
    return { leftMs, clientId, grantId, sessionUid }
  }
  const inContext = batched(
    async (keys: readonly string[]) =>
      (await redis.evaluate(WHOLE.findInContext, keys, [])) as (unknown[] | null)[],
  )

  return {
    put: async (entry) =>
      (await redis.evaluate(WHOLE.put, keysOf(entry), argsOf(entry, freshEpoch()))) === 1,

    async putSession(entry) {
      const { name, sessionUid: uid, accountId, ttl, proof, isSessionHeld } = entry
      const keys = [KEYS.session(uid), KEYS.account(accountId), KEYS.artifact('Session', name)]
      const args = [
        name,
        proof,
        ttlOf(ttl),
        sessionText(entry),
        accountId,
        freshEpoch(),
        uid,
        isSessionHeld ? '1' : '',
      ]
      await redis.evaluate(WHOLE.putSession, keys, args)
    },

    find: (model, name) => find(WHOLE.find, [KEYS.artifact(model, name)], []),
    async findInContext(model, name) {
      const [token, grant, session] = ((await inContext(KEYS.artifact(model, name))) ?? []).map(
        foundIn,
      )
      return token && { token, grant, session }
    },

    findByLookup: (model, lookup) => find(WHOLE.findByLookup, [KEYS.lookup(lookup)], [model]),
    consume: (model, name, keepMs) =>
      spent(WHOLE.consume, [KEYS.artifact(model, name)], [keepMs ?? '']),
    exchange(model, name, { entries, answer }, keepMs) {
      const fresh = freshEpoch()
      return spent(
        WHOLE.exchange,
        [...spendingKeys(model, name), ...entries.flatMap(keysOf)],
        [...spendingArgs(answer, keepMs), ...entries.flatMap((entry) => argsOf(entry, fresh))],
      )
    },

    async findSession(name) {
      const found = await find(WHOLE.findSession, [KEYS.artifact('Session', name)], [])
      return found?.fields.get('i') === name ? found : undefined
    },

    findSessionByUid: (uid) => find(WHOLE.findSessionByUid, [KEYS.session(uid)], [uid]),

    async destroy(model, name) {
      await redis.run(KEYS.artifact(model, name), (client, key) => client.del(key))
    },

    async destroySession(name, proof) {
      const uid = await redis.evaluate(
        WHOLE.destroySession,
        [KEYS.artifact('Session', name)],
        [name, proof, TRACE_MS],
      )
      return typeof uid === 'string' ? uid : undefined
    },
  }
}

/**
 * Six of each entry, in the order that `put` in `lua/looking-on.ts` names them; its own key where
 * there is no such record.
 */
function keysOf({ model, name, lookup, accountId, sessionUid, grantId }: Entry): string[] {
  const artifact = KEYS.artifact(model, name)
  return [
    artifact,
    accountId ? KEYS.account(accountId) : artifact,
    ...(sessionUid ? [KEYS.scope(sessionUid), KEYS.session(sessionUid)] : [artifact, artifact]),
    grantId ? KEYS.grant(grantId) : artifact,
    lookup ? KEYS.lookup(lookup) : artifact,
  ]
}

/** Records that one call opens have one epoch. */
function argsOf(entry: Entry, fresh: string): (string | number)[] {
  const { model, name, lookup, accountId, clientId, sessionUid, grantId, bind, isSessionHeld } =
    entry
  const head = [modeOf(model), ttlOf(entry.ttl), entry.consumedAt ?? '', fresh]
  const owner = [
    accountId,
    clientId,
    sessionUid,
    bind,
    grantId,
    model !== 'Grant' && grantId ? '1' : '',
  ]
  return [...head, ...owner, lookup ? name : '', isSessionHeld ? '1' : '', ...argumentsOf(entry)]
}
