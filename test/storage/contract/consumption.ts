import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { withArrival } from '../../../src/oidc/arrival.ts'
import { GRANT_SOURCES, HOUR, newOwner, sample } from './samples.ts'
import type { StoreUnderTest } from './store-under-test.ts'

export function consumption(storage: StoreUnderTest): void {
  describe('single use', () => {
    it.each(GRANT_SOURCES)(
      'TK-01 TK-03 lets exactly one of 50 parallel callers on two instances consume a %s',
      async (model) => {
        const stores = [storage.open(), storage.open()] as const
        for (let round = 0; round < 10; round += 1) {
          const { id, payload } = sample(model)
          await stores[0].adapterFor(model).upsert(id, payload, HOUR)
          const outcomes = await Promise.allSettled(
            Array.from({ length: 50 }, (_, i) =>
              stores[i % 2 === 0 ? 0 : 1].adapterFor(model).consume(id),
            ),
          )
          const refusals = outcomes.filter((outcome) => outcome.status === 'rejected')
          expect(refusals.length).toBe(49)
          for (const { reason } of refusals)
            expect(reason).toMatchObject({ error: 'invalid_grant', statusCode: 400 })
        }
      },
    )

    it('TK-03 does not tell of a consumption within the leeway, and tells after it', async () => {
      const adapter = storage.open().adapterFor('RefreshToken')
      const { id, payload } = sample('RefreshToken')
      await adapter.upsert(id, payload, HOUR)
      await adapter.consume(id)
      expect(await adapter.find(id)).toEqual(payload)
      await storage.age(5)
      expect(await adapter.find(id)).toEqual(payload)
      await expect(adapter.consume(id)).rejects.toMatchObject({ error: 'invalid_grant' })
      await storage.age(6)
      expect(await adapter.find(id)).toEqual({ ...payload, consumed: expect.any(Number) })
      await expect(adapter.consume(id)).rejects.toMatchObject({ error: 'invalid_grant' })
    })

    it('TK-03 counts the leeway from when the request was complete, not from when it is judged, and at most ten seconds', async () => {
      const adapter = storage.open().adapterFor('RefreshToken')
      const { id, payload } = sample('RefreshToken')
      await adapter.upsert(id, payload, HOUR)
      await adapter.consume(id)
      const request = new EventEmitter()
      const judge = await withArrival(request as never, async () => {
        const told = AsyncResource.bind(
          async () => (await adapter.find(id))?.consumed !== undefined,
        )
        request.emit('end')
        await sleep(1500)
        return told
      })
      await storage.age(9)
      expect([await adapter.find(id), await judge()]).toEqual([
        { ...payload, consumed: expect.any(Number) },
        false,
      ])
      await storage.age(20)
      expect(await judge()).toBe(true)
    })

    it('TK-03 forgives each client for its own leeway', async () => {
      const leeway: Record<string, number> = { strict: 0, lenient: 60 }
      const adapter = storage
        .open({ leewaySeconds: (clientId) => leeway[clientId] ?? 10 })
        .adapterFor('RefreshToken')
      const tokens = {
        strict: sample('RefreshToken', { ...newOwner(), clientId: 'strict' }),
        lenient: sample('RefreshToken', { ...newOwner(), clientId: 'lenient' }),
      }
      for (const { id, payload } of Object.values(tokens)) {
        await adapter.upsert(id, payload, HOUR)
        await adapter.consume(id)
      }
      expect(await adapter.find(tokens.strict.id)).toHaveProperty('consumed')
      await storage.age(50)
      expect(await adapter.find(tokens.lenient.id)).not.toHaveProperty('consumed')
      await storage.age(11)
      expect(await adapter.find(tokens.lenient.id)).toHaveProperty('consumed')
    })

    it('TK-04 remembers a consumption whatever is stored over it', async () => {
      const adapter = storage.open({ leewaySeconds: () => 0 }).adapterFor('RefreshToken')
      const { id, payload } = sample('RefreshToken')
      await adapter.upsert(id, payload, HOUR)
      await adapter.consume(id)
      await adapter.upsert(id, payload, HOUR)
      expect(await adapter.find(id)).toHaveProperty('consumed')
      await expect(adapter.consume(id)).rejects.toMatchObject({ error: 'invalid_grant' })
    })

    it('TK-04 takes a consumption over with the payload, as when it is moved from another storage', async () => {
      const adapter = storage.open().adapterFor('RefreshToken')
      const { id, payload } = sample('RefreshToken')
      const consumed = Math.floor(Date.now() / 1000) - 100
      await adapter.upsert(id, { ...payload, consumed }, HOUR)
      expect(await adapter.find(id)).toEqual({ ...payload, consumed })
      await expect(adapter.consume(id)).rejects.toMatchObject({ error: 'invalid_grant' })
    })

    it('TK-01 consumes nothing that is unknown, expired or revoked', async () => {
      const adapter = storage.open().adapterFor('AuthorizationCode')
      const [expired, revoked] = [sample('AuthorizationCode'), sample('AuthorizationCode')]
      await adapter.upsert(expired.id, expired.payload, 60)
      await storage.age(61)
      await adapter.upsert(revoked.id, revoked.payload, 60)
      await adapter.revokeByGrantId(String(revoked.payload.grantId))
      for (const id of [expired.id, revoked.id, 'unknown'])
        await expect(adapter.consume(id)).rejects.toMatchObject({ error: 'invalid_grant' })
    })

    it('AZ-12 spends a pushed request once and without leeway', async () => {
      const adapter = storage.open().adapterFor('PushedAuthorizationRequest')
      const { id, payload } = sample('PushedAuthorizationRequest')
      await adapter.upsert(id, payload, 60)
      await adapter.consume(id)
      expect(await adapter.find(id)).toHaveProperty('consumed')
      await expect(adapter.consume(id)).rejects.toMatchObject({ error: 'invalid_request_uri' })
    })
  })

  describe('replay detection', () => {
    it('TK-07 lets exactly one of 50 parallel callers on two instances use an assertion', async () => {
      const stores = [storage.open(), storage.open()] as const
      for (let round = 0; round < 10; round += 1) {
        const { id, payload } = sample('ReplayDetection')
        const outcomes = await Promise.allSettled(
          Array.from({ length: 50 }, (_, i) =>
            stores[i % 2 === 0 ? 0 : 1].adapterFor('ReplayDetection').upsert(id, payload, 300),
          ),
        )
        const refusals = outcomes.filter((outcome) => outcome.status === 'rejected')
        expect(refusals.length).toBe(49)
        for (const { reason } of refusals)
          expect(reason).toMatchObject({ error: 'invalid_client', statusCode: 401 })
      }
    })

    it('lets an id be used anew when the old use has expired, and once again', async () => {
      const adapter = storage.open().adapterFor('ReplayDetection')
      const { id, payload } = sample('ReplayDetection')
      await adapter.upsert(id, payload, 60)
      await storage.age(30)
      await expect(adapter.upsert(id, payload, 60)).rejects.toMatchObject({
        error: 'invalid_client',
      })
      await storage.age(31)
      expect(await adapter.find(id)).toBeUndefined()
      await adapter.upsert(id, payload, 60)
      expect(await adapter.find(id)).toEqual(payload)
      await expect(adapter.upsert(id, payload, 60)).rejects.toMatchObject({
        error: 'invalid_client',
      })
    })
  })
}
