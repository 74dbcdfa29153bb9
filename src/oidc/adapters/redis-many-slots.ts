import { randomToken } from '../../crypto/token.ts'
import type { RedisConnection } from '../../redis.ts'
import { SPREAD } from './lua/scripts.ts'
import { type Calls, type Entry, type Found, TRACE_MS } from './redis-calls.ts'
import { argumentsOf, EPOCH_BITS, modeOf, sessionText, ttlOf } from './redis-entry.ts'
import { KEYS } from './redis-keys.ts'
import { fieldsOf, isLive, stands } from './redis-standing.ts'

type Reply = string[]

/**
 * A Cluster: records of one artifact are in several slots. What is read first may end before the second round trip; then what
 * is written carries a stamp that no longer stands, so the order needs no lock.
 */
export function manySlots(redis: RedisConnection): Calls {
  const fresh = () => randomToken(EPOCH_BITS)

  async function open(entry: Entry): Promise<{ account: Reply; session: Reply; grant: string }> {
    const { model, accountId, clientId, sessionUid, grantId, bind, isSessionHeld } = entry
    const ttl = ttlOf(entry.ttl)
    const opening = [bind, grantId, ttl, fresh(), isSessionHeld ? '1' : '']
    const [account, session, grant] = await Promise.all([
      accountId ? redis.evaluate(SPREAD.openAccount, [KEYS.account(accountId)], [ttl, clientId, fresh()]) : ['', ''],
      sessionUid ? redis.evaluate(SPREAD.openSession, [KEYS.scope(sessionUid), KEYS.session(sessionUid)], opening) : ['', '', '', ''],
      grantId && model !== 'Grant' ? redis.evaluate(SPREAD.openGrant, [KEYS.grant(grantId)], [ttl, fresh()]) : '',
    ])
    return { account: account as Reply, session: session as Reply, grant: grant as string }
  }

  async function standing(reply: unknown): Promise<Found | undefined> {
    if (!reply) return undefined
    const [flat, now] = reply as [unknown, number]
    const fields = fieldsOf(flat)
    if (fields.size === 0) return undefined
    const of = (name: string) => fields.get(name) ?? ''
    const [account, session, grant] = await Promise.all([
      fields.has('a') ? redis.evaluate(SPREAD.readAccount, [KEYS.account(of('a'))], [of('k'), of('s'), of('g')]) : [],
      fields.has('b') ? redis.run((client) => client.hget(KEYS.scope(of('s')), of('b'))) : null,
      fields.has('ge') ? redis.run((client) => client.hget(KEYS.grant(of('g')), 'e')) : null,
    ])
    return stands(fields, { account: account as unknown[], session, grant }) ? { fields, now } : undefined
  }

  async function findSessionByUid(uid: string): Promise<Found | undefined> {
    const [flat, now] = (await redis.evaluate(SPREAD.read, [KEYS.session(uid)], [])) as [unknown, number]
    const fields = fieldsOf(flat)
    if (!isLive(fields)) return undefined
    const accountId = fields.get('a')
    const account = accountId ? await redis.evaluate(SPREAD.readAccount, [KEYS.account(accountId)], ['', uid, '']) : []
    return stands(fields, { account: account as unknown[], session: undefined, grant: undefined }) ? { fields, now } : undefined
  }

  async function find(model: string, digest: Buffer): Promise<Found | undefined> {
    return standing(await redis.evaluate(SPREAD.read, [KEYS.artifact(model, digest)], []))
  }

  return {
    async put(entry) {
      const { model, digest, lookup, accountId, consumedAt } = entry
      const ttl = ttlOf(entry.ttl)
      const { account, session, grant } = await open(entry)
      const stamps = [accountId, ...account, ...session, grant]
      const args = [...stamps, modeOf(model), ttl, consumedAt ?? '', ...argumentsOf(entry)]
      const [stored] = await Promise.all([
        redis.evaluate(SPREAD.write, [KEYS.artifact(model, digest)], args),
        lookup && point(KEYS.lookup(lookup), digest.toString('base64url'), entry.ttl),
      ])
      return stored === 1
    },

    async putSession(entry) {
      const { digest, uid, accountId, ttl, proof, isHeld } = entry
      const stamp = accountId
        ? ((await redis.evaluate(SPREAD.openAccount, [KEYS.account(accountId)], [ttlOf(ttl), '', fresh()])) as Reply)[0]
        : ''
      const args = [digest.toString('base64url'), proof, ttlOf(ttl), sessionText(entry), accountId, stamp ?? '', isHeld ? '1' : '']
      await Promise.all([redis.evaluate(SPREAD.writeSession, [KEYS.session(uid)], args), point(KEYS.artifact('Session', digest), uid, ttl)])
    },

    find,

    async findByLookup(model, lookup) {
      const id = await redis.run((client) => client.get(KEYS.lookup(lookup)))
      return id === null ? undefined : find(model, Buffer.from(id, 'base64url'))
    },

    async findSession(digest) {
      const uid = await redis.run((client) => client.get(KEYS.artifact('Session', digest)))
      const found = uid === null ? undefined : await findSessionByUid(uid)
      return found?.fields.get('i') === digest.toString('base64url') ? found : undefined
    },

    findSessionByUid,

    consume: async (model, digest) => standing(await redis.evaluate(SPREAD.spend, [KEYS.artifact(model, digest)], [])),

    async destroy(model, digest) {
      await redis.run((client) => client.del(KEYS.artifact(model, digest)))
    },

    async destroySession(digest, proof) {
      const pointer = KEYS.artifact('Session', digest)
      const uid = await redis.run((client) => client.get(pointer))
      if (uid === null) return undefined
      const [ended] = await Promise.all([
        redis.evaluate(SPREAD.endSession, [KEYS.session(uid)], [digest.toString('base64url'), proof, TRACE_MS]),
        redis.run((client) => client.pexpire(pointer, TRACE_MS)),
      ])
      return ended === 1 ? uid : undefined
    },
  }

  /** Holds no authority: what it points at knows its own id. */
  async function point(key: string, to: string, ttl: number | undefined): Promise<void> {
    if (ttl !== undefined && ttl <= 0) await redis.run((client) => client.del(key))
    else if (ttl === undefined) await redis.run((client) => client.set(key, to))
    else await redis.run((client) => client.set(key, to, 'PX', Math.round(ttl)))
  }
}
