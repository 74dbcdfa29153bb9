import { describe, expect, it } from '@jest/globals'
import { HOUR, MODELS, newOwner, sample } from './samples.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const TEN_YEARS = 10 * 365 * 86_400

export function expiry(storage: StoreUnderTest): void {
  describe('expiry', () => {
    it.each(MODELS)('no longer finds a %s whose time is over', async (model) => {
      const adapter = storage.open().adapterFor(model)
      const { id, payload } = sample(model)
      await adapter.upsert(id, payload, HOUR)
      await storage.age(HOUR - 30)
      expect(await adapter.find(id)).toBeDefined()
      await storage.age(31)
      expect(await adapter.find(id)).toBeUndefined()
      expect(await adapter.findByUid(String(payload.uid))).toBeUndefined()
      expect(await adapter.findByUserCode(String(payload.userCode))).toBeUndefined()
    })

    it('counts the time anew from every upsert', async () => {
      const adapter = storage.open().adapterFor('Session')
      const { id, payload } = sample('Session')
      await adapter.upsert(id, payload, HOUR)
      await storage.age(HOUR - 30)
      await adapter.upsert(id, payload, HOUR)
      await storage.age(HOUR - 30)
      expect(await adapter.find(id)).toEqual(payload)
    })

    it('keeps for ever what was stored without a lifetime', async () => {
      const store = storage.open()
      const { id, payload } = sample('RegistrationAccessToken')
      await store.adapterFor('RegistrationAccessToken').upsert(id, payload)
      await storage.age(TEN_YEARS)
      await storage.purge()
      expect(await store.adapterFor('RegistrationAccessToken').find(id)).toEqual(payload)
    })

    it('takes a lifetime that is over already for what it is', async () => {
      const adapter = storage.open().adapterFor('Interaction')
      for (const lifetime of [0, -5]) {
        const { id, payload } = sample('Interaction')
        await adapter.upsert(id, payload, HOUR)
        await adapter.upsert(id, payload, lifetime)
        expect(await adapter.find(id)).toBeUndefined()
      }
    })

    it('LG-07 purges what has expired, by many instances at once, and nothing else', async () => {
      const [gone, live] = [newOwner(), newOwner()]
      const tokens = storage.open().adapterFor('RefreshToken')
      await Promise.all(
        Array.from({ length: 60 }, () => sample('RefreshToken', gone)).map(({ id, payload }) =>
          tokens.upsert(id, payload, 60),
        ),
      )
      const kept = Array.from({ length: 10 }, () => sample('RefreshToken', live))
      await Promise.all(kept.map(({ id, payload }) => tokens.upsert(id, payload, HOUR)))
      await tokens.consume(kept[0]?.id ?? '')
      await storage.age(61)

      await Promise.all([storage.purge(), storage.purge(), storage.purge()])
      const dump = await storage.dump()
      expect(dump).not.toContain(gone.accountId)
      for (const { id } of kept) expect(await tokens.find(id)).toBeDefined()
      expect(await tokens.find(kept[0]?.id ?? '')).toHaveProperty('consumed')
    })
  })
}
