import { describe, expect, it } from '@jest/globals'
import { randomToken } from '../../../src/crypto/token.ts'
import type { ArtifactStore } from '../../../src/oidc/adapters/adapter.ts'
import { HOUR, newOwner, sample } from './samples.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const TEN_MINUTES = 600

export function sessions(storage: StoreUnderTest): void {
  async function signedIn() {
    const store = storage.open()
    const owner = newOwner()
    const { id, payload } = sample('Session', owner)
    const adapter = store.adapterFor('Session')
    await adapter.upsert(id, payload, HOUR)
    return { store, adapter, id, payload, owner, uid: owner.sessionUid }
  }

  async function expectEnded(
    { adapterFor }: ArtifactStore,
    uid: string,
    ids: readonly string[],
  ): Promise<void> {
    const session = adapterFor('Session')
    for (const id of ids) expect(await session.find(id)).toBeUndefined()
    expect(await session.findByUid(uid)).toBeUndefined()
  }

  describe('sessions', () => {
    it('SE-01 finds a session by its uid, without the id that the cookie holds', async () => {
      const { adapter, uid, payload } = await signedIn()
      const { jti: _secret, ...rest } = payload
      expect(await adapter.findByUid(uid)).toEqual(rest)
    })

    it('takes one session from many requests at once, new or known, on two instances', async () => {
      const stores = [storage.open(), storage.open()] as const
      for (let round = 0; round < 10; round += 1) {
        const { id, payload } = sample('Session')
        const save = (_: unknown, index: number) =>
          stores[index % 2 === 0 ? 0 : 1].adapterFor('Session').upsert(id, payload, HOUR + index)
        for (let again = 0; again < 3; again += 1)
          await Promise.all(Array.from({ length: 30 }, save))
        expect(await stores[0].adapterFor('Session').find(id)).toEqual(payload)
      }
    })

    it('SE-02 goes on under the new id when the library rotates it, and the old id is dead', async () => {
      const { adapter, id, uid, payload } = await signedIn()
      const next = randomToken()
      await adapter.destroy(id)
      await adapter.upsert(next, { ...payload, jti: next }, HOUR)
      expect(await adapter.find(id)).toBeUndefined()
      expect(await adapter.find(next)).toEqual({ ...payload, jti: next })
      expect(await adapter.findByUid(uid)).toMatchObject({ uid })
    })

    it('SE-02 keeps the old id dead when a request that began before the rotation stores the session', async () => {
      const { adapter, id, uid, payload } = await signedIn()
      const next = randomToken()
      await adapter.destroy(id)
      await adapter.upsert(id, payload, HOUR)
      await adapter.upsert(next, { ...payload, jti: next }, HOUR)
      await adapter.upsert(id, { ...payload, amr: ['late'] }, HOUR)
      expect(await adapter.find(id)).toBeUndefined()
      expect(await adapter.find(next)).toMatchObject({ amr: ['pwd'] })
      expect(await adapter.findByUid(uid)).toMatchObject({ amr: ['pwd'] })
    })

    it('SE-05 keeps a session ended when a request that began before the logout stores it again', async () => {
      const { store, adapter, id, uid, payload } = await signedIn()
      await adapter.destroy(id)
      await adapter.upsert(id, payload, HOUR)
      await storage.open().adapterFor('Session').upsert(id, payload, HOUR)
      await expectEnded(store, uid, [id])
    })

    it('SE-05 keeps a session ended when a request that began before the logout rotates it', async () => {
      const { store, adapter, id, uid, payload } = await signedIn()
      const [here, there] = [randomToken(), randomToken()]
      await adapter.destroy(id)
      await adapter.destroy(id)
      await adapter.upsert(here, { ...payload, jti: here }, HOUR)
      const other = storage.open().adapterFor('Session')
      await other.destroy(id)
      await other.upsert(there, { ...payload, jti: there }, HOUR)
      await expectEnded(store, uid, [id, here, there])
    })

    it.each(['revokeBySession', 'revokeByAccount'] as const)(
      'SE-06 %s ends a session for good, also amid a rotation',
      async (revoke) => {
        for (const isRotating of [false, true]) {
          const { store, adapter, id, uid, payload, owner } = await signedIn()
          const next = randomToken()
          if (isRotating) await adapter.destroy(id)
          await storage.open()[revoke](revoke === 'revokeBySession' ? uid : owner.accountId)
          await adapter.upsert(next, { ...payload, jti: next }, HOUR)
          await adapter.upsert(id, payload, HOUR)
          await adapter.destroy(id)
          await adapter.upsert(next, { ...payload, jti: next }, HOUR)
          await expectEnded(store, uid, [id, next])
        }
      },
    )

    it.each(['revokeBySession', 'revokeByAccount'] as const)(
      'SE-06 never finds a code that was stored for a session after %s',
      async (revoke) => {
        const { store, uid, owner } = await signedIn()
        await store[revoke](revoke === 'revokeBySession' ? uid : owner.accountId)
        const code = sample('AuthorizationCode', { ...owner, grantId: randomToken() })
        await storage.open().adapterFor('AuthorizationCode').upsert(code.id, code.payload, 60)
        expect(await store.adapterFor('AuthorizationCode').find(code.id)).toBeUndefined()
      },
    )

    it('stores codes for a session that lives, and for one that it does not know', async () => {
      const { store, owner } = await signedIn()
      for (const each of [owner, newOwner()]) {
        const code = sample('AuthorizationCode', each)
        await store.adapterFor('AuthorizationCode').upsert(code.id, code.payload, 60)
        expect(await store.adapterFor('AuthorizationCode').find(code.id)).toEqual(code.payload)
      }
    })

    it('LG-07 keeps no trace of an ended session for longer than ten minutes', async () => {
      const { adapter, id, uid, owner } = await signedIn()
      await adapter.destroy(id)
      await storage.age(TEN_MINUTES + 1)
      await storage.purge()
      const dump = await storage.dump()
      expect([uid, owner.accountId].filter((text) => dump.includes(text))).toEqual([])
    })
  })
}
