import { randomToken } from '../../crypto/token.ts'
import type { RedisConnection } from '../../redis.ts'
import { WHOLE } from './lua/scripts.ts'
import { type Calls, type Entry, TRACE_MS } from './redis-calls.ts'
import { argumentsOf, EPOCH_BITS, modeOf, sessionText, ttlOf } from './redis-entry.ts'
import { KEYS } from './redis-keys.ts'
import { standing, standingSession } from './redis-standing.ts'

/** One server, or a Sentinel's master: every call is one script and one round trip. */
export function oneServer(redis: RedisConnection): Calls {
  const find = async (...call: Parameters<RedisConnection['evaluate']>) => standing(await redis.evaluate(...call))

  return {
    async put(entry: Entry) {
      const { model, name, lookup, accountId, clientId, sessionUid, grantId, bind, isSessionHeld } = entry
      const keys = [
        KEYS.artifact(model, name),
        KEYS.account(accountId),
        KEYS.scope(sessionUid),
        KEYS.session(sessionUid),
        KEYS.grant(grantId),
        lookup ? KEYS.lookup(lookup) : KEYS.artifact(model, name),
      ]
      const head = [modeOf(model), ttlOf(entry.ttl), entry.consumedAt ?? '', randomToken(EPOCH_BITS)]
      const scopes = [
        accountId,
        clientId,
        sessionUid,
        bind,
        grantId,
        model !== 'Grant' && grantId ? '1' : '',
        lookup ? name : '',
        isSessionHeld ? '1' : '',
      ]
      return (await redis.evaluate(WHOLE.put, keys, [...head, ...scopes, ...argumentsOf(entry)])) === 1
    },

    async putSession(entry) {
      const { name, uid, accountId, ttl, proof, isHeld } = entry
      const keys = [KEYS.session(uid), KEYS.account(accountId), KEYS.artifact('Session', name)]
      const args = [name, proof, ttlOf(ttl), sessionText(entry), accountId, randomToken(EPOCH_BITS), uid, isHeld ? '1' : '']
      await redis.evaluate(WHOLE.putSession, keys, args)
    },

    find: (model, name) => find(WHOLE.find, [KEYS.artifact(model, name)], []),
    async findInContext(model, name) {
      const reply = (await redis.evaluate(WHOLE.findInContext, [KEYS.artifact(model, name)], [])) as unknown[]
      const token = standing(reply[0])
      return token && { token, grant: standing(reply[1]), session: standingSession(reply[2]) }
    },

    findByLookup: (model, lookup) => find(WHOLE.findByLookup, [KEYS.lookup(lookup)], [model]),
    consume: (model, name) => find(WHOLE.consume, [KEYS.artifact(model, name)], []),

    async findSession(name) {
      const found = standingSession(await redis.evaluate(WHOLE.findSession, [KEYS.artifact('Session', name)], []))
      return found?.fields.get('i') === name ? found : undefined
    },

    findSessionByUid: async (uid) => standingSession(await redis.evaluate(WHOLE.findSessionByUid, [KEYS.session(uid)], [uid])),

    async destroy(model, name) {
      await redis.run((client) => client.del(KEYS.artifact(model, name)))
    },

    async destroySession(name, proof) {
      const uid = await redis.evaluate(WHOLE.destroySession, [KEYS.artifact('Session', name)], [name, proof, TRACE_MS])
      return typeof uid === 'string' ? uid : undefined
    },
  }
}
