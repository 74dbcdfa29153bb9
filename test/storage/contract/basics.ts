import { describe, expect, it } from '@jest/globals'
import { randomToken } from '../../../src/crypto/token.ts'
import type { AdapterPayload } from '../../../src/oidc/adapters/adapter.ts'
import { GRANTABLE, HOUR, MODELS, sample } from './samples.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const WEIRD_IDS = [
  '',
  ' ',
  'x',
  'X',
  'x\0y',
  'x:y',
  'Session:x',
  'AccessToken:x',
  ':x',
  '.lookup:x',
  "';--",
  '{x}',
  '*',
  '../x',
  '%00',
  '\u{1F511}',
  'e\u0301',
  '\u00e9',
  'a'.repeat(100_000),
]

export function basics(storage: StoreUnderTest): void {
  describe('storing and finding', () => {
    it.each(MODELS)('returns a %s as it was stored, with its id', async (model) => {
      const adapter = storage.open().adapterFor(model)
      const { id, payload } = sample(model)
      await adapter.upsert(id, payload, HOUR)
      expect(await adapter.find(id)).toEqual(payload)
    })

    it.each(MODELS)('F16 keeps the fields of a %s that it does not know', async (model) => {
      const adapter = storage.open().adapterFor(model)
      const fromLater = {
        addedLater: { deep: [1, null, 'ü', { x: true }] },
        alsoLater: 0,
      } as AdapterPayload
      const { id, payload } = sample(model)
      await adapter.upsert(id, { ...payload, ...fromLater }, HOUR)
      expect(await adapter.find(id)).toEqual({ ...payload, ...fromLater })
    })

    it('replaces the whole payload, so that removed fields are gone', async () => {
      const adapter = storage.open().adapterFor('Interaction')
      const { id, payload } = sample('Interaction')
      await adapter.upsert(id, payload, HOUR)
      const { session: _removed, ...rest } = payload
      await adapter.upsert(id, { ...rest, result: { login: { accountId: 'someone' } } }, HOUR)
      expect(await adapter.find(id)).toEqual({
        ...rest,
        result: { login: { accountId: 'someone' } },
      })
    })

    it.each(['AccessToken', 'Interaction'] as const)(
      'keeps 64 kB and every character in a %s',
      async (model) => {
        const adapter = storage.open().adapterFor(model)
        const text = {
          long: 'x'.repeat(65_536),
          nul: 'a\0b',
          lone: '\ud800',
          pair: '\u{1F600}',
          rtl: 'שלום',
          quote: '"\\u0000\\',
          line: '\u2028',
        }
        const { id, payload } = sample(model, undefined, {
          extra: text,
          claims: { ['__proto__']: 1, ['\0']: '\0' } as never,
        })
        await adapter.upsert(id, payload, HOUR)
        expect(await adapter.find(id)).toEqual(payload)
      },
    )

    it('takes ids of any shape and tells all of them apart', async () => {
      const adapter = storage.open().adapterFor('AccessToken')
      for (const id of WEIRD_IDS)
        await adapter.upsert(id, { kind: 'AccessToken', scope: `scope of ${id}` }, HOUR)
      for (const id of WEIRD_IDS)
        expect(await adapter.find(id)).toEqual({
          jti: id,
          kind: 'AccessToken',
          scope: `scope of ${id}`,
        })
      for (const id of WEIRD_IDS) expect(await adapter.find(`${id}\0`)).toBeUndefined()
    })

    it('finds nothing where nothing was stored', async () => {
      const store = storage.open()
      for (const model of MODELS)
        expect(await store.adapterFor(model).find(randomToken())).toBeUndefined()
      expect(await store.adapterFor('Session').findByUid(randomToken())).toBeUndefined()
      expect(await store.adapterFor('DeviceCode').findByUserCode(randomToken())).toBeUndefined()
    })

    it.each(MODELS)(
      'forgets a destroyed %s, and destroying it again is no error',
      async (model) => {
        const adapter = storage.open().adapterFor(model)
        const { id, payload } = sample(model)
        await adapter.upsert(id, payload, HOUR)
        await adapter.destroy(id)
        expect(await adapter.find(id)).toBeUndefined()
        await adapter.destroy(id)
        await adapter.destroy(randomToken())
      },
    )

    it('finds a device code by its user code, with both ids, and still after it was stored again', async () => {
      const adapter = storage.open().adapterFor('DeviceCode')
      const { id, payload } = sample('DeviceCode')
      await adapter.upsert(id, payload, HOUR)
      const found = await adapter.findByUserCode(String(payload.userCode))
      expect(found).toEqual(payload)
      await adapter.upsert(id, { ...(await adapter.find(id)), inFlight: true }, HOUR)
      expect(await adapter.findByUserCode(String(payload.userCode))).toEqual({
        ...payload,
        inFlight: true,
      })
    })

    it('shows one instance what another has stored, consumed and revoked', async () => {
      const [one, two] = [storage.open(), storage.open({ leewaySeconds: () => 0 })]
      const { id, payload } = sample('RefreshToken')
      await one.adapterFor('RefreshToken').upsert(id, payload, HOUR)
      expect(await two.adapterFor('RefreshToken').find(id)).toEqual(payload)
      await one.adapterFor('RefreshToken').consume(id)
      expect(await two.adapterFor('RefreshToken').find(id)).toMatchObject({
        consumed: expect.any(Number),
      })
      for (const model of GRANTABLE)
        await one.adapterFor(model).revokeByGrantId(String(payload.grantId))
      expect(await two.adapterFor('RefreshToken').find(id)).toBeUndefined()
    })

    it('hands its adapters out unbound, as the provider calls it', async () => {
      const { adapterFor } = storage.open()
      expect(await adapterFor('Grant').find('x')).toBeUndefined()
    })
  })
}
