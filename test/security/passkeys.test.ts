import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { StatelessChallenges } from '../../src/crypto/challenge.ts'
import type { Alg } from '../support/authenticator.ts'
import { createAccount } from '../support/factories.ts'
import { givePasskey, ORIGIN_OF_TEST } from '../support/passkeys.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const BINDING = 'api:test'

describe('challenges', () => {
  const [old, now] = ['an old secret'.padEnd(32, '.'), 'a new secret'.padEnd(32, '.')]

  it('PK-01 are 36 bytes, good for one ceremony of one binding, until their end', () => {
    const challenges = new StatelessChallenges([now])
    const challenge = challenges.make('webauthn.get', BINDING, 600)
    expect(Buffer.from(challenge, 'base64url')).toHaveLength(36)
    expect(challenges.judge(challenge, 'webauthn.get', BINDING)).toBeInstanceOf(Date)
    expect(challenges.judge(challenge, 'webauthn.create', BINDING)).toBeUndefined()
    expect(challenges.judge(challenge, 'webauthn.get', 'api:other')).toBeUndefined()
    const past = challenges.make('webauthn.get', BINDING, -1)
    expect(challenges.judge(past, 'webauthn.get', BINDING)).toBeUndefined()
  })

  it('PK-01 of a key that is still accepted are good, of another not', () => {
    const challenge = new StatelessChallenges([old]).make('webauthn.get', BINDING, 600)
    const judgedBy = (keys: string[]) =>
      new StatelessChallenges(keys).judge(challenge, 'webauthn.get', BINDING)
    expect(judgedBy([now, old])).toBeInstanceOf(Date)
    expect(judgedBy([now])).toBeUndefined()
  })

  it('PK-01 are refused with any bit changed', () => {
    const challenges = new StatelessChallenges([now])
    const bytes = Buffer.from(challenges.make('webauthn.get', BINDING, 600), 'base64url')
    const accepted = [...bytes.keys()].filter((at) => {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      return challenges.judge(changed.toString('base64url'), 'webauthn.get', BINDING)
    })
    expect(accepted).toEqual([])
  })
})

describe('a passkey', () => {
  it.each<Alg>(['ES256', 'EdDSA', 'RS256'])('of %s proves both factors', async (alg) => {
    const account = await createAccount(server)
    const { authenticator, passkey } = await givePasskey(server, account, { alg })
    const { passkeys } = server.context
    const credential = authenticator.assert(passkeys.signInOptions(BINDING))
    const proven = await passkeys.proveFirst({ credential, binding: BINDING }, ORIGIN_OF_TEST)
    expect(proven).toMatchObject({ accountId: account.id, passkeyId: passkey.id })
    expect(proven.proofs.map(({ id }) => id)).toEqual(['passkey'])
  })
})
