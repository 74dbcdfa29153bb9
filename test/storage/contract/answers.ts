import { describe, expect, it } from '@jest/globals'
import type { ArtifactStore, ContextAdapter } from '../../../src/oidc/adapters/adapter.ts'
import { keptAnswer } from '../../../src/oidc/adapters/stored-answers.ts'
import { HOUR, newOwner, type Owner, sample } from './samples.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const SECONDS = 10

export function answers(storage: StoreUnderTest): void {
  describe('the answer to a refresh', () => {
    const tokensOf = (store: ArtifactStore) => store.adapterFor('RefreshToken') as ContextAdapter

    /** A refresh token that was spent for another, of a session. */
    async function refreshed(store: ArtifactStore, owner: Owner = newOwner()) {
      const [session, first, next] = [
        sample('Session', owner),
        sample('RefreshToken', owner),
        sample('RefreshToken', owner),
      ]
      await store.adapterFor('Session').upsert(session.id, session.payload, HOUR)
      for (const bound of [first, next]) bound.payload.expiresWithSession = true
      await tokensOf(store).upsert(first.id, first.payload, HOUR)
      const kept = keptAnswer({
        token: first.id,
        next: next.id,
        sealed: `sealed for ${first.id}`,
        seconds: SECONDS,
      })
      await tokensOf(store).exchange(first.id, [
        { model: 'RefreshToken', ...next, expiresIn: HOUR },
        kept,
      ])
      return { owner, first: first.id, next: next.id, sealed: `sealed for ${first.id}` }
    }

    it('TK-03 is found by the spent token, at every instance, for its time', async () => {
      const [one, two] = [storage.open(), storage.open()]
      const { first, next, sealed } = await refreshed(one)
      expect([
        await tokensOf(one).findAnswer(first),
        await tokensOf(two).findAnswer(first),
      ]).toEqual([sealed, sealed])
      expect([
        await tokensOf(one).findAnswer(next),
        await tokensOf(one).findAnswer('unknown'),
      ]).toEqual([undefined, undefined])
      await storage.age(SECONDS - 1)
      expect(await tokensOf(two).findAnswer(first)).toBe(sealed)
      await storage.age(2)
      expect(await tokensOf(two).findAnswer(first)).toBeUndefined()
    })

    it.each<[string, (store: ArtifactStore, owner: Owner, next: string) => Promise<unknown>]>([
      ['spent', (store, _owner, next) => tokensOf(store).consume(next)],
      ['revoked by itself', (store, _owner, next) => tokensOf(store).destroy(next)],
      ['revoked with its grant', (store, { grantId }) => tokensOf(store).revokeByGrantId(grantId)],
      ['revoked with its session', (store, { sessionUid }) => store.revokeBySession(sessionUid)],
      ['revoked with its account', (store, { accountId }) => store.revokeByAccount(accountId)],
      [
        'revoked with its app',
        (store, { accountId, clientId }) => store.revokeByAccountAndClient(accountId, clientId),
      ],
    ])('TK-03 SE-06 is given no more once the refresh token in it is %s', async (_how, end) => {
      const store = storage.open()
      const { owner, first, next, sealed } = await refreshed(store)
      expect(await tokensOf(store).findAnswer(first)).toBe(sealed)
      await end(store, owner, next)
      expect(await tokensOf(store).findAnswer(first)).toBeUndefined()
    })

    it('TK-03 is there as soon as one of 50 at once has lost, and is the one of the winner', async () => {
      const stores = [storage.open(), storage.open()] as const
      const owner = newOwner()
      const { id, payload } = sample('RefreshToken', owner)
      await tokensOf(stores[0]).upsert(id, payload, HOUR)
      const seen = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const tokens = tokensOf(stores[index % 2 === 0 ? 0 : 1])
          const next = sample('RefreshToken', owner)
          const minted = { model: 'RefreshToken', ...next, expiresIn: HOUR }
          const kept = keptAnswer({
            token: id,
            next: next.id,
            sealed: `of ${index}`,
            seconds: SECONDS,
          })
          return tokens.exchange(id, [minted, kept]).then(
            () => `of ${index}`,
            () => tokens.findAnswer(id),
          )
        }),
      )
      expect(new Set(seen).size).toBe(1)
      expect(seen[0]).toMatch(/^of \d+$/)
    })
  })
}
