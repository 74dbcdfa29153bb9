import { beforeEach, describe, expect, it } from '@jest/globals'
import { randomToken } from '../../../src/crypto/token.ts'
import type { AdapterPayload, ArtifactStore } from '../../../src/oidc/adapters/adapter.ts'
import { GRANTABLE, HOUR, type Model, newOwner, type Owner, sample } from './samples.ts'
import type { StoreUnderTest } from './store-under-test.ts'

interface Stored {
  readonly model: Model
  readonly id: string
}

interface SignIn {
  readonly isOffline?: boolean
  readonly authorizations?: NonNullable<AdapterPayload['authorizations']>
}

export function revocation(storage: StoreUnderTest): void {
  let store: ArtifactStore

  async function put(model: Model, owner: Owner, more: AdapterPayload = {}): Promise<Stored> {
    const { id, payload } = sample(model, owner, more)
    await store.adapterFor(model).upsert(id, payload, HOUR)
    return { model, id }
  }

  /**
   * One sign-in at one app: session, grant and one of each token; bound to the session, or with
   * offline access.
   */
  async function putSignIn(
    owner: Owner,
    { isOffline = false, ...more }: SignIn = {},
  ): Promise<Stored[]> {
    const authorizations = more.authorizations ?? {
      [owner.clientId]: { grantId: owner.grantId, ...(isOffline ? { persistsLogout: true } : {}) },
    }
    return Promise.all([
      put('Session', owner, { authorizations }),
      put('Grant', owner),
      ...GRANTABLE.map((model) => put(model, owner, isOffline ? {} : { expiresWithSession: true })),
    ])
  }

  async function alive(artifacts: readonly Stored[]): Promise<string[]> {
    const found = await Promise.all(
      artifacts.map(async ({ model, id }) =>
        (await store.adapterFor(model).find(id)) ? [model] : [],
      ),
    )
    return found.flat().sort()
  }

  const names = (artifacts: readonly Stored[]): string[] =>
    artifacts.map(({ model }) => model).sort()
  const sameAccount = (owner: Owner): Owner => ({ ...newOwner(), accountId: owner.accountId })

  describe('revocation', () => {
    beforeEach(() => {
      store = storage.open()
    })

    it('TK-01 TK-03 revokes the family of a grant, and only that', async () => {
      const owner = newOwner()
      const mine = await putSignIn(owner)
      const interaction = await put('Interaction', owner)
      const others = [...(await putSignIn(sameAccount(owner))), ...(await putSignIn(newOwner()))]
      for (const model of GRANTABLE) await store.adapterFor(model).revokeByGrantId(owner.grantId)
      expect(await alive([...mine, interaction])).toEqual(['Grant', 'Interaction', 'Session'])
      expect(await alive(others)).toEqual(names(others))
    })

    it('SE-06 SE-07 leaves nothing of an account, and touches no other', async () => {
      const owner = newOwner()
      const mine = [
        ...(await putSignIn(owner)),
        ...(await putSignIn(sameAccount(owner), { isOffline: true })),
        await put('Interaction', owner),
      ]
      const others = [
        ...(await putSignIn(newOwner())),
        await put('Interaction', newOwner()),
        await put('ClientCredentials', owner),
      ]
      await store.revokeByAccount(owner.accountId)
      expect(await alive(mine)).toEqual([])
      expect(await alive(others)).toEqual(names(others))
    })

    it('SE-06 ends an interaction in which the account has just signed in, before there is a session', async () => {
      const { accountId } = newOwner()
      const login = { login: { accountId } }
      const nobody = { session: undefined }
      const mine = [
        await put('Interaction', newOwner(), { ...nobody, result: login }),
        await put('Interaction', newOwner(), { ...nobody, lastSubmission: login }),
      ]
      const others = [
        await put('Interaction', newOwner(), nobody),
        await put('Interaction', newOwner(), {
          ...nobody,
          result: { login: { accountId: 'other' } },
        }),
      ]
      await store.revokeByAccount(accountId)
      expect(await alive(mine)).toEqual([])
      expect(await alive(others)).toEqual(names(others))
    })

    it('PW-10 leaves the session that is named, with its grants and tokens, and ends all others', async () => {
      const owner = newOwner()
      const secondApp = { ...owner, clientId: 'second', grantId: randomToken() }
      const idleApp = { ...owner, clientId: 'idle', grantId: randomToken() }
      const authorizations = {
        [owner.clientId]: { grantId: owner.grantId },
        idle: { grantId: idleApp.grantId },
        unused: {},
      }
      const kept = [
        ...(await putSignIn(owner, { isOffline: true, authorizations })),
        await put('Grant', idleApp),
        await put('Interaction', owner),
        await put('Grant', secondApp),
        await put('RefreshToken', secondApp),
      ]
      const ended = [
        ...(await putSignIn(sameAccount(owner))),
        ...(await putSignIn(sameAccount(owner), { isOffline: true })),
      ]
      await store.revokeByAccount(owner.accountId, { exceptSessionUid: owner.sessionUid })
      expect(await alive(kept)).toEqual(names(kept))
      expect(await alive(ended)).toEqual([])
    })

    it('SE-05 ends a session with what expires with it, and keeps offline access', async () => {
      const [online, offline] = [newOwner(), newOwner()]
      const ended = await putSignIn(online)
      const kept = await putSignIn(offline, { isOffline: true })
      const others = await putSignIn(sameAccount(online))
      for (const { sessionUid } of [online, offline]) await store.revokeBySession(sessionUid)
      expect(await alive(ended)).toEqual([])
      expect(await alive(kept)).toEqual(names(kept).filter((model) => model !== 'Session'))
      expect(await alive(others)).toEqual(names(others))
    })

    it('CL-06 ends what an account allowed one app, and neither its session nor other apps', async () => {
      const owner = newOwner()
      const mine = await putSignIn(owner, { isOffline: true })
      const others = [
        ...(await putSignIn({ ...sameAccount(owner), clientId: 'other' })),
        ...(await putSignIn(newOwner())),
      ]
      await store.revokeByAccountAndClient(owner.accountId, owner.clientId)
      expect(await alive(mine)).toEqual(['Session'])
      expect(await alive(others)).toEqual(names(others))
    })

    it('is no error where there is nothing to revoke', async () => {
      await store.revokeByAccount('nobody')
      await store.revokeByAccount('nobody', { exceptSessionUid: 'none' })
      await store.revokeBySession('none')
      await store.revokeByAccountAndClient('nobody', 'app')
      for (const model of GRANTABLE) await store.adapterFor(model).revokeByGrantId('none')
    })
  })
}
