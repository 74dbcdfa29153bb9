import { describe, expect, it } from '@jest/globals'
import type { ContextAdapter } from '../../../src/oidc/adapters/adapter.ts'
import { HOUR, newOwner, sample } from './samples.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const SOURCES = ['AccessToken', 'RefreshToken', 'AuthorizationCode'] as const

export function context(storage: StoreUnderTest): void {
  describe('finding a token in its context', () => {
    it.each(SOURCES)(
      'G18 returns a %s with its grant and session, each as it is found alone',
      async (model) => {
        const store = storage.open()
        const adapter = store.adapterFor(model) as ContextAdapter
        const [grants, sessions] = [store.adapterFor('Grant'), store.adapterFor('Session')]
        const owner = newOwner()
        const bound = sample(model, owner, {
          expiresWithSession: true,
          nonce: 'lone \ud800 and \0',
        })
        const free = sample(model, owner)
        const [grant, session] = [sample('Grant', owner), sample('Session', owner)]
        for (const { id, payload } of [bound, free]) await adapter.upsert(id, payload, HOUR)
        expect(await adapter.findInContext(bound.id)).toMatchObject({
          token: bound.payload,
          grant: undefined,
          session: undefined,
        })
        await grants.upsert(grant.id, grant.payload, HOUR)
        await sessions.upsert(session.id, session.payload, HOUR)

        const found = await adapter.findInContext(bound.id)
        const alone = {
          token: await adapter.find(bound.id),
          grant: await grants.find(grant.id),
          session: await sessions.findByUid(owner.sessionUid),
          isSpent: false,
        }
        expect(found).toEqual(alone)
        expect(alone.grant).toMatchObject({ jti: owner.grantId })
        expect(alone.session).toMatchObject({ uid: owner.sessionUid })
        expect(await adapter.findInContext(free.id)).toMatchObject({
          grant: alone.grant,
          session: undefined,
        })

        await adapter.consume(bound.id)
        expect(await adapter.findInContext(bound.id)).toMatchObject({
          token: await adapter.find(bound.id),
          isSpent: true,
        })
        await storage.age(11)
        expect(await adapter.findInContext(bound.id)).toMatchObject({
          token: { consumed: expect.any(Number) },
          isSpent: false,
        })
        await store.revokeBySession(owner.sessionUid)
        expect(await adapter.findInContext(bound.id)).toBeUndefined()
        expect(await adapter.findInContext('no such token')).toBeUndefined()
      },
    )

    it.each(SOURCES)(
      'a %s of a revoked grant is gone, and a grant that was destroyed is not in it',
      async (model) => {
        const store = storage.open()
        const adapter = store.adapterFor(model) as ContextAdapter
        const grants = store.adapterFor('Grant')
        const owner = newOwner()
        const [token, grant] = [sample(model, owner), sample('Grant', owner)]
        await adapter.upsert(token.id, token.payload, HOUR)
        await grants.upsert(grant.id, grant.payload, HOUR)
        await grants.destroy(grant.id)
        expect(await adapter.findInContext(token.id)).toMatchObject({
          token: token.payload,
          grant: undefined,
        })
        await adapter.revokeByGrantId(owner.grantId)
        expect(await adapter.findInContext(token.id)).toBeUndefined()
      },
    )

    it('gives each of many that are asked for at once its own', async () => {
      const store = storage.open()
      const adapter = store.adapterFor('AccessToken') as ContextAdapter
      const grants = store.adapterFor('Grant')
      const owners = Array.from({ length: 150 }, () => newOwner())
      const stored = owners.map((owner) => sample('AccessToken', owner))
      await Promise.all(stored.map(({ id, payload }) => adapter.upsert(id, payload, HOUR)))
      await Promise.all(
        owners.map((owner) => grants.upsert(owner.grantId, sample('Grant', owner).payload, HOUR)),
      )
      const asked = [...stored, ...stored.slice(0, 5), { id: 'no such token', payload: undefined }]
      const found = await Promise.all(asked.map(({ id }) => adapter.findInContext(id)))
      expect(found.map((each) => each?.token)).toEqual(asked.map(({ payload }) => payload))
      expect(found.map((each) => each?.grant?.jti)).toEqual(
        asked.map(({ payload }) => payload?.grantId),
      )
      const alone = await Promise.all(asked.map(({ id }) => adapter.find(id)))
      expect(alone).toEqual(asked.map(({ payload }) => payload))
    })
  })
}
