import type { RedisConnection } from '../../redis/redis.ts'
import { SPREAD } from './lua/scripts.ts'
import type { Entry, Found } from './redis-calls.ts'
import { freshEpoch, ttlOf } from './redis-entry.ts'
import { KEYS } from './redis-keys.ts'
import { foundIn, isLive, stands } from './redis-standing.ts'

export type Reply = string[]

/** What one artifact hangs on, each in the slot of its own: account, session and grant. */
export function slotsOf(redis: RedisConnection) {
  /** Stamps for what is about to be written. */
  async function open(entry: Entry): Promise<{ account: Reply; session: Reply; grant: string }> {
    const { model, accountId, clientId, sessionUid, grantId, bind, isSessionHeld } = entry
    const ttl = ttlOf(entry.ttl)
    const opening = [bind, grantId, ttl, freshEpoch(), isSessionHeld ? '1' : '']
    const [account, session, grant] = await Promise.all([
      accountId
        ? redis.evaluate(
            SPREAD.openAccount,
            [KEYS.account(accountId)],
            [ttl, clientId, freshEpoch()],
          )
        : ['', ''],
      sessionUid
        ? redis.evaluate(
            SPREAD.openSession,
            [KEYS.scope(sessionUid), KEYS.session(sessionUid)],
            opening,
          )
        : ['', '', '', ''],
      grantId && model !== 'Grant'
        ? redis.evaluate(SPREAD.openGrant, [KEYS.grant(grantId)], [ttl, freshEpoch()])
        : '',
    ])
    return { account: account as Reply, session: session as Reply, grant: grant as string }
  }

  /** What was read, if everything that it hangs on is still valid. */
  async function standing(found: Found | undefined): Promise<Found | undefined> {
    if (!found) return undefined
    const { fields } = found
    const of = (name: string) => fields.get(name) ?? ''
    const [account, session, grant] = await Promise.all([
      fields.has('a')
        ? redis.evaluate(SPREAD.readAccount, [KEYS.account(of('a'))], [of('k'), of('s'), of('g')])
        : [],
      fields.has('b')
        ? redis.run(KEYS.scope(of('s')), (client, key) => client.hget(key, of('b')))
        : null,
      fields.has('ge')
        ? redis.run(KEYS.grant(of('g')), (client, key) => client.hget(key, 'e'))
        : null,
    ])
    return stands(fields, { account: account as unknown[], session, grant }) ? found : undefined
  }

  async function findSessionByUid(uid: string): Promise<Found | undefined> {
    const found = await read(KEYS.session(uid))
    if (!found || !isLive(found.fields)) return undefined
    const accountId = found.fields.get('a')
    const account = accountId
      ? await redis.evaluate(SPREAD.readAccount, [KEYS.account(accountId)], ['', uid, ''])
      : []
    return stands(found.fields, {
      account: account as unknown[],
      session: undefined,
      grant: undefined,
    })
      ? found
      : undefined
  }

  async function read(key: string): Promise<Found | undefined> {
    return foundIn(await redis.evaluate(SPREAD.read, [key], []))
  }

  return { open, standing, findSessionByUid, read }
}
