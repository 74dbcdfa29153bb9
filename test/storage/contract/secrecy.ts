import { describe, expect, it } from '@jest/globals'
import { randomToken } from '../../../src/crypto/token.ts'
import { idDigest, lookupDigest } from '../../../src/oidc/adapters/artifact-keys.ts'
import { HOUR, MODELS, sample } from './samples.ts'
import type { StoreUnderTest } from './store-under-test.ts'

/** Everything that is no credential: a grant's id is part of no message, and nothing accepts it. */
const CREDENTIALS = MODELS.filter((model) => model !== 'Grant')

const SPELLINGS = [
  (id: string) => id,
  (id: string) => Buffer.from(id).toString('hex'),
  (id: string) => Buffer.from(id).toString('base64').replace(/=+$/, ''),
  (id: string) => Buffer.from(id, 'base64url').toString('hex'),
]

export function secrecy(storage: StoreUnderTest): void {
  describe('what is at rest', () => {
    it('TK-13 SE-01 shows none of 1,000 live credentials in a dump, in no spelling', async () => {
      const store = storage.open()
      const live = Array.from({ length: 1000 }, (_, index) => ({
        model: CREDENTIALS[index % CREDENTIALS.length] ?? 'AccessToken',
      }))
      const stored = live.map(({ model }) => ({ model, ...sample(model) }))
      await Promise.all(
        stored.map(({ model, id, payload }) => store.adapterFor(model).upsert(id, payload, HOUR)),
      )

      const dump = await storage.dump()
      expect(dump.length).toBeGreaterThan(100_000)
      const secrets = stored.flatMap(({ id, payload }) =>
        payload.userCode ? [id, payload.userCode] : [id],
      )
      expect(secrets.filter((id) => SPELLINGS.some((spell) => dump.includes(spell(id))))).toEqual(
        [],
      )
    })

    it('TK-13 shows nothing of an interaction: neither its cookie, nor its session cookie, nor what a page keeps in it', async () => {
      const adapter = storage.open().adapterFor('Interaction')
      const cookie = randomToken()
      const secret = randomToken()
      const { id, payload } = sample('Interaction', undefined, {
        session: { accountId: 'a', uid: 'u', cookie },
        deviceCode: secret,
        parJti: secret,
        result: { gatehouse: { challenge: secret } },
      })
      await adapter.upsert(id, payload, HOUR)

      const dump = await storage.dump()
      expect(
        [id, cookie, secret, 'user@example.com'].filter((text) =>
          SPELLINGS.some((spell) => dump.includes(spell(text))),
        ),
      ).toEqual([])
      expect(await adapter.find(id)).toEqual({ ...payload, session: { accountId: 'a', uid: 'u' } })
    })

    it('TK-11 finds no token that differs in one byte from any of 200', async () => {
      const adapter = storage.open().adapterFor('AccessToken')
      const tokens = Array.from({ length: 200 }, () => sample('AccessToken'))
      await Promise.all(tokens.map(({ id, payload }) => adapter.upsert(id, payload, HOUR)))

      for (const { id } of tokens) {
        const found = await Promise.all(mutations(id).map((mutation) => adapter.find(mutation)))
        expect(found.filter(Boolean)).toEqual([])
      }
      expect(await adapter.find(tokens[0]?.id ?? '')).toBeDefined()
    })

    it(`TK-12 never finds an artifact of one model as another (${MODELS.length} x ${MODELS.length})`, async () => {
      const store = storage.open()
      for (const model of MODELS) {
        const { id, payload } = sample(model)
        await store.adapterFor(model).upsert(id, payload, HOUR)
        const keys = [id, payload.uid, payload.userCode].filter((key) => typeof key === 'string')
        for (const other of MODELS) {
          const adapter = store.adapterFor(other)
          for (const key of keys) {
            if (other !== model || key !== id) expect(await adapter.find(key)).toBeUndefined()
            if (other !== model) {
              expect(await adapter.findByUid(key)).toBeUndefined()
              expect(await adapter.findByUserCode(key)).toBeUndefined()
              await expect(adapter.consume(key)).rejects.toMatchObject({ statusCode: 400 })
              await adapter.destroy(key)
            }
          }
        }
        expect(await store.adapterFor(model).find(id)).toBeDefined()
      }
    })

    it('TK-12 gives one id a different key in every model and for every way to find it', () => {
      const id = randomToken()
      const keys = MODELS.flatMap((model) => [
        idDigest(model, id),
        lookupDigest(model, id),
        idDigest(model, `${model}:${id}`),
      ])
      expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(MODELS.length * 3)
      for (const key of keys) expect(key).toHaveLength(32)
    })

    it('TK-12 reaches no other model through a separator in the id', async () => {
      const store = storage.open()
      const { id, payload } = sample('RefreshToken')
      await store.adapterFor('RefreshToken').upsert(id, payload, HOUR)
      for (const separator of [':', '.', '/', '|', '\0', '#', ' ', '.lookup:', '::'])
        for (const model of ['AccessToken', 'Session', '', 'Refresh'])
          for (const key of [
            `RefreshToken${separator}${id}`,
            `Token${separator}${id}`,
            `${separator}${id}`,
            `../RefreshToken${separator}${id}`,
          ])
            expect(await store.adapterFor(model).find(key)).toBeUndefined()
    })
  })
}

/** Every byte changed once, and the whole truncated, re-cased, padded and concatenated. */
function mutations(id: string): string[] {
  const changed = Array.from(
    id,
    (char, at) => `${id.slice(0, at)}${char === 'A' ? 'B' : 'A'}${id.slice(at + 1)}`,
  )
  const whole = [
    id.slice(1),
    id.slice(0, -1),
    `${id}=`,
    `${id} `,
    ` ${id}`,
    `${id}\0`,
    `${id}\n`,
    id + id,
    id.slice(0, 8),
  ]
  const cased = [id.toUpperCase(), id.toLowerCase()].filter((other) => other !== id)
  return [...changed, ...whole, ...cased]
}
