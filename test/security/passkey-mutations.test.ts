import { expect, it } from '@jest/globals'
import { api } from '../support/api.ts'
import { Authenticator, type Part } from '../support/authenticator.ts'
import { createAccount } from '../support/factories.ts'
import { note } from '../support/notes.ts'
import { givePasskey, passkeyOwner, passkeySignIn } from '../support/passkeys.ts'
import { useApi } from '../support/use-server.ts'

const server = useApi()

const flipped = (at: number) => (bytes: Buffer) => {
  // Signatures of ES256 are not all of one length.
  const index = Math.min(at, bytes.length - 1)
  bytes[index] = (bytes[index] ?? 0) ^ (1 << (at % 8))
  return bytes
}

it.each(['ES256', 'EdDSA'] as const)(
  'PK-12 a bit changed in any byte of an answer by %s is refused, and no fault',
  async (alg) => {
    const account = await createAccount(server)
    const { authenticator } = await givePasskey(server, account, { alg })
    const odd: unknown[] = []
    let tried = 0
    for (const part of ['authenticatorData', 'signature', 'clientDataJSON'] as Part[]) {
      let length = 1
      for (let at = 0; at < length; at += 1) {
        const spoil = {
          [part]: (bytes: Buffer) => {
            length = bytes.length
            return flipped(at)(bytes)
          },
        }
        const answer = await passkeySignIn(server, authenticator, { spoil })
        tried += 1
        if (answer.status !== 400) odd.push({ part, at, status: answer.status })
      }
    }
    note('passkeys', `${tried} changed answers by ${alg}, none taken`)
    expect(odd).toEqual([])
  },
  240_000,
)

/** What nobody signs where there is no attestation: the model, the counter, and whether it is backed up. */
const UNSIGNED = { flags: 32, counter: [33, 37], model: [37, 53] } as const

it('PK-12 a bit changed in any byte of a new credential is refused but in what nobody signs, and no fault', async () => {
  const owner = await passkeyOwner(server)
  const refused: number[] = []
  const taken: number[] = []
  const other: unknown[] = []
  let length = 1
  for (let at = 0; at < length; at += 1) {
    const { token, publicKey } = (await api(server, 'POST /passkeys/options', {}, owner)).body
    const spoil = {
      authenticatorData: (bytes: Buffer) => {
        length = bytes.length
        return flipped(at)(bytes)
      },
    }
    const credential = new Authenticator(server.origin).register(publicKey, { spoil })
    const { status, body } = await api(server, 'POST /passkeys', { token, credential }, owner)
    if (status === 400) refused.push(at)
    else if (status === 200) {
      taken.push(at)
      const { id } = body.passkey
      await server.context.passkeys.remove(owner.id, id, {})
    } else other.push({ at, status, body })
  }
  expect(other).toEqual([])
  const [afterFlags, afterCounter] = UNSIGNED.counter
  const [, afterModel] = UNSIGNED.model
  expect(afterCounter).toBe(UNSIGNED.model[0])
  const unexplained = taken.filter((at) => at < UNSIGNED.flags || at >= afterModel)
  expect(unexplained).toEqual([])
  expect(taken).toEqual(expect.arrayContaining([afterFlags, afterCounter]))
  expect(refused.length).toBeGreaterThan(100)
}, 240_000)
