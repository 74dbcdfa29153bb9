import { describe, expect, it } from '@jest/globals'
import type { ArtifactStore, ContextAdapter, Minted } from '../../../src/oidc/adapters/adapter.ts'
import { HOUR, type Model, newOwner, type Owner, sample } from './samples.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const SOURCES = ['AuthorizationCode', 'RefreshToken'] as const
const MINTED = ['AccessToken', 'RefreshToken'] as const

export function exchange(storage: StoreUnderTest): void {
  describe('exchanging a code or refresh token for tokens', () => {
    const adapterOf = (store: ArtifactStore, model: Model) =>
      store.adapterFor(model) as ContextAdapter

    /** Stored, bound to its session, with that session. */
    async function source(
      store: ArtifactStore,
      model: Model,
      owner: Owner = newOwner(),
    ): Promise<string> {
      const session = sample('Session', owner)
      const { id, payload } = sample(model, owner, { expiresWithSession: true })
      await store.adapterFor('Session').upsert(session.id, session.payload, HOUR)
      await store.adapterFor(model).upsert(id, payload, HOUR)
      return id
    }

    function minted(owner: Owner = newOwner(), models: readonly Model[] = MINTED): Minted[] {
      return models.map((model) => ({
        model,
        ...sample(model, owner, { expiresWithSession: true }),
        expiresIn: HOUR,
      }))
    }

    const foundOf = (store: ArtifactStore, tokens: readonly Minted[]) =>
      Promise.all(tokens.map(({ model, id }) => store.adapterFor(model).find(id)))

    it.each(SOURCES)(
      'TK-01 TK-03 spends a %s and stores what comes of it, one token or two',
      async (model) => {
        const store = storage.open()
        for (const models of [MINTED, ['RefreshToken'] as const]) {
          const owner = newOwner()
          const id = await source(store, model, owner)
          const tokens = minted(owner, models)
          await adapterOf(store, model).exchange(id, tokens)
          expect(await foundOf(store, tokens)).toEqual(tokens.map(({ payload }) => payload))
          await expect(adapterOf(store, model).consume(id)).rejects.toMatchObject({
            error: 'invalid_grant',
          })
          await storage.age(11)
          expect(await store.adapterFor(model).find(id)).toHaveProperty('consumed')

          await store.revokeBySession(owner.sessionUid)
          expect(await foundOf(store, tokens)).toEqual(tokens.map(() => undefined))
        }
      },
    )

    it.each(SOURCES)(
      'TK-01 TK-03 gives one of 50 parallel callers on two instances its tokens for a %s, and stores no others',
      async (model) => {
        const stores = [storage.open(), storage.open()] as const
        for (let round = 0; round < 5; round += 1) {
          const owner = newOwner()
          const id = await source(stores[0], model, owner)
          const attempts = Array.from({ length: 50 }, () => minted(owner))
          const outcomes = await Promise.allSettled(
            attempts.map((tokens, index) =>
              adapterOf(stores[index % 2 === 0 ? 0 : 1], model).exchange(id, tokens),
            ),
          )
          const refusals = outcomes.filter((outcome) => outcome.status === 'rejected')
          expect(refusals.length).toBe(49)
          for (const { reason } of refusals)
            expect(reason).toMatchObject({ error: 'invalid_grant', statusCode: 400 })
          const stored = await Promise.all(attempts.map((tokens) => foundOf(stores[1], tokens)))
          expect(stored).toEqual(
            attempts.map((tokens, index) =>
              tokens.map(({ payload }) =>
                outcomes[index]?.status === 'fulfilled' ? payload : undefined,
              ),
            ),
          )
        }
      },
    )

    it.each(SOURCES)(
      'TK-01 SE-06 stores nothing for a %s that is unknown, expired, consumed or revoked',
      async (model) => {
        const store = storage.open()
        const adapter = adapterOf(store, model)
        const [expired, consumed, ...revoked] = Array.from({ length: 6 }, () => newOwner())
        const late = sample(model, expired)
        await adapter.upsert(late.id, late.payload, 60)
        await storage.age(61)
        const spent = await source(store, model, consumed)
        await adapter.consume(spent)
        const endings = [
          (owner: Owner) => store.revokeByAccount(owner.accountId),
          (owner: Owner) => store.revokeBySession(owner.sessionUid),
          (owner: Owner) => store.revokeByAccountAndClient(owner.accountId, owner.clientId),
          (owner: Owner) => adapter.revokeByGrantId(owner.grantId),
        ]
        const gone = await Promise.all(
          endings.map(async (end, index) => {
            const owner = revoked[index] ?? newOwner()
            const id = await source(store, model, owner)
            await end(owner)
            return { id, owner }
          }),
        )
        for (const { id, owner } of [
          { id: late.id, owner: expired },
          { id: spent, owner: consumed },
          { id: 'unknown', owner: newOwner() },
          ...gone,
        ]) {
          const tokens = minted(owner)
          await expect(adapter.exchange(id, tokens)).rejects.toMatchObject({
            error: 'invalid_grant',
          })
          expect(await foundOf(store, tokens)).toEqual([undefined, undefined])
        }
      },
    )

    it.each(SOURCES)('PW-10 goes on for a %s of the one session that was kept', async (model) => {
      const store = storage.open()
      const owner = newOwner()
      const id = await source(store, model, owner)
      await store.revokeByAccount(owner.accountId, { exceptSessionUid: owner.sessionUid })
      const tokens = minted(owner)
      await adapterOf(store, model).exchange(id, tokens)
      expect(await foundOf(store, tokens)).toEqual(tokens.map(({ payload }) => payload))
    })
  })
}
