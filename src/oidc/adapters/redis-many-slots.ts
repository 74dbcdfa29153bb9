import type { RedisConnection } from '../../redis/redis.ts'
import { SPREAD } from './lua/scripts.ts'
import { type Answer, type Calls, type Consumed, type Entry, TRACE_MS } from './redis-calls.ts'
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
import { type Reply, slotsOf } from './redis-slots.ts'
import { foundIn } from './redis-standing.ts'

/**
 * A Cluster: records of one artifact are in several slots. What is read first may end before the
 * second round trip; then what is written carries a stamp that is no longer valid, so the order
 * needs no lock.
 */
export function manySlots(redis: RedisConnection): Calls {
  const { open, standing, findSessionByUid, read } = slotsOf(redis)

  const find = async (model: string, name: string) =>
    standing(await read(KEYS.artifact(model, name)))

  async function consume(
    model: string,
    name: string,
    keepMs: number | undefined,
    answer?: Answer,
  ): Promise<Consumed | undefined> {
    const reply = (await redis.evaluate(
      SPREAD.spend,
      spendingKeys(model, name),
      spendingArgs(answer, keepMs),
    )) as [unknown, number, number] | null
    const found = await standing(foundIn(reply))
    if (!found || !reply) return undefined
    const of = (field: string) => found.fields.get(field) ?? ''
    return { leftMs: reply[2], clientId: of('k'), grantId: of('g'), sessionUid: of('s') }
  }

  async function put(entry: Entry): Promise<boolean> {
    const { model, name, lookup, accountId, consumedAt } = entry
    const ttl = ttlOf(entry.ttl)
    const { account, session, grant } = await open(entry)
    const stamps = [accountId, ...account, ...session, grant]
    const args = [...stamps, modeOf(model), ttl, consumedAt ?? '', ...argumentsOf(entry)]
    const [stored] = await Promise.all([
      redis.evaluate(SPREAD.write, [KEYS.artifact(model, name)], args),
      lookup && point(KEYS.lookup(lookup), name, entry.ttl),
    ])
    return stored === 1
  }

  async function destroy(model: string, name: string): Promise<void> {
    await redis.run(KEYS.artifact(model, name), (client, key) => client.del(key))
  }

  return {
    put,

    async putSession(entry) {
      const { name, sessionUid: uid, accountId, ttl, proof, isSessionHeld } = entry
      const stamp = accountId
        ? (
            (await redis.evaluate(
              SPREAD.openAccount,
              [KEYS.account(accountId)],
              [ttlOf(ttl), '', freshEpoch()],
            )) as Reply
          )[0]
        : ''
      const args = [
        name,
        proof,
        ttlOf(ttl),
        sessionText(entry),
        accountId,
        stamp ?? '',
        isSessionHeld ? '1' : '',
      ]
      await Promise.all([
        redis.evaluate(SPREAD.writeSession, [KEYS.session(uid)], args),
        point(KEYS.artifact('Session', name), uid, ttl),
      ])
    },

    find,

    async findInContext(model, name) {
      const found = await read(KEYS.artifact(model, name))
      const [uid, grantId] = [
        found?.fields.get('b') === 'on' && found.fields.get('s'),
        found?.fields.get('g'),
      ]
      const [token, grant, session] = await Promise.all([
        standing(found),
        grantId === undefined ? undefined : find('Grant', grantId),
        uid ? findSessionByUid(uid) : undefined,
      ])
      return token && { token, grant, session }
    },

    async findByLookup(model, lookup) {
      const name = await redis.run(KEYS.lookup(lookup), (client, key) => client.get(key))
      return name === null ? undefined : find(model, name)
    },

    async findSession(name) {
      const uid = await redis.run(KEYS.artifact('Session', name), (client, key) => client.get(key))
      const found = uid === null ? undefined : await findSessionByUid(uid)
      return found?.fields.get('i') === name ? found : undefined
    },

    findSessionByUid,

    consume: (model, name, keepMs) => consume(model, name, keepMs),

    /**
     * What comes of it is stored before it is spent: a request that finds it spent finds its answer, with
     * what is in it.
     */
    async exchange(model, name, { entries, answer }, keepMs) {
      await Promise.all(entries.map(put))
      const consumed = await consume(model, name, keepMs, answer)
      if (!consumed) await Promise.all(entries.map((entry) => destroy(entry.model, entry.name)))
      return consumed
    },

    destroy,

    async destroySession(name, proof) {
      const pointer = KEYS.artifact('Session', name)
      const uid = await redis.run(pointer, (client, key) => client.get(key))
      if (uid === null) return undefined
      const [ended] = await Promise.all([
        redis.evaluate(SPREAD.endSession, [KEYS.session(uid)], [name, proof, TRACE_MS]),
        redis.run(pointer, (client, key) => client.pexpire(key, TRACE_MS)),
      ])
      return ended === 1 ? uid : undefined
    },
  }

  /** Holds no authority: what it points at knows its own id. */
  async function point(pointer: string, to: string, ttl: number | undefined): Promise<void> {
    if (ttl !== undefined && ttl <= 0) await redis.run(pointer, (client, key) => client.del(key))
    else if (ttl === undefined) await redis.run(pointer, (client, key) => client.set(key, to))
    else await redis.run(pointer, (client, key) => client.set(key, to, 'PX', Math.round(ttl)))
  }
}
