import { randomToken } from '../../crypto/token.ts'
import type { RedisConnection } from '../../redis.ts'
import { WHOLE } from './lua/scripts.ts'
import { type Calls, type Entry, TRACE_MS } from './redis-calls.ts'
import { argumentsOf, EPOCH_BITS, modeOf, sessionText, ttlOf } from './redis-entry.ts'
import { KEYS } from './redis-keys.ts'
import { fieldsOf, isLive, standing, stands } from './redis-standing.ts'

/** One server, or a Sentinel's master: every call is one script and one round trip. */
export function oneServer(redis: RedisConnection): Calls {
  const find = async (...call: Parameters<RedisConnection['evaluate']>) => {
    const reply = await redis.evaluate(...call)
    return reply ? standing(reply) : undefined
  }
  const session = (reply: unknown, digest?: Buffer) => {
    if (!reply) return undefined
    const [flat, now, account] = reply as [unknown, number, unknown[]]
    const fields = fieldsOf(flat)
    if (!isLive(fields) || !stands(fields, { account, session: undefined, grant: undefined })) return undefined
    return digest && fields.get('i') !== digest.toString('base64url') ? undefined : { fields, now }
  }

  return {
    async put(entry: Entry) {
      const { model, digest, lookup, accountId, clientId, sessionUid, grantId, bind, isSessionHeld } = entry
      const id = digest.toString('base64url')
      const keys = [
        KEYS.artifact(model, digest),
        KEYS.account(accountId),
        KEYS.scope(sessionUid),
        KEYS.session(sessionUid),
        KEYS.grant(grantId),
        lookup ? KEYS.lookup(lookup) : KEYS.artifact(model, digest),
      ]
      const head = [modeOf(model), ttlOf(entry.ttl), entry.consumedAt ?? '', randomToken(EPOCH_BITS)]
      const scopes = [
        accountId,
        clientId,
        sessionUid,
        bind,
        grantId,
        model !== 'Grant' && grantId ? '1' : '',
        lookup ? id : '',
        isSessionHeld ? '1' : '',
      ]
      return (await redis.evaluate(WHOLE.put, keys, [...head, ...scopes, ...argumentsOf(entry)])) === 1
    },

    async putSession(entry) {
      const { digest, uid, accountId, ttl, proof, isHeld } = entry
      const keys = [KEYS.session(uid), KEYS.account(accountId), KEYS.artifact('Session', digest)]
      const id = digest.toString('base64url')
      const args = [id, proof, ttlOf(ttl), sessionText(entry), accountId, randomToken(EPOCH_BITS), uid, isHeld ? '1' : '']
      await redis.evaluate(WHOLE.putSession, keys, args)
    },

    find: (model, digest) => find(WHOLE.find, [KEYS.artifact(model, digest)], []),
    findByLookup: (model, lookup) => find(WHOLE.findByLookup, [KEYS.lookup(lookup)], [model]),
    consume: (model, digest) => find(WHOLE.consume, [KEYS.artifact(model, digest)], []),
    findSession: async (digest) => session(await redis.evaluate(WHOLE.findSession, [KEYS.artifact('Session', digest)], []), digest),
    findSessionByUid: async (uid) => session(await redis.evaluate(WHOLE.findSessionByUid, [KEYS.session(uid)], [uid])),

    async destroy(model, digest) {
      await redis.run((client) => client.del(KEYS.artifact(model, digest)))
    },

    async destroySession(digest, proof) {
      const keys = [KEYS.artifact('Session', digest)]
      const uid = await redis.evaluate(WHOLE.destroySession, keys, [digest.toString('base64url'), proof, TRACE_MS])
      return typeof uid === 'string' ? uid : undefined
    },
  }
}
