import { describe, expect, it } from '@jest/globals'
import { TokenBindings } from '../../src/oidc/tokens/token-bindings.ts'

const OLD = 'Vb7nMq2wXc5tYu9zKj4hGf1dSa8pLo3iRe6yTgHw'
const NEW = 'Qm5xTc8vLp2zKd6wRb9nGs3yFh7jAe4uXo1iWqMt'
const HELD = { grantId: 'a-grant', sessionUid: 'a-session' }

describe('what a JWT hangs on, sealed into it', () => {
  const before = new TokenBindings([OLD])
  const after = new TokenBindings([NEW, OLD])
  const sealed = before.seal('one', HELD)

  it('is read with and without a session, and is the same text for the same token', () => {
    expect(before.open('one', sealed)).toEqual(HELD)
    expect(before.seal('one', HELD)).toBe(sealed)
    expect(before.seal('two', HELD)).not.toBe(sealed)
    const offline = { grantId: 'a-grant', sessionUid: undefined }
    expect(before.open('one', before.seal('one', offline))).toEqual(offline)
  })

  it('CF-04 is read after a key was put in front, and not once its own is gone', () => {
    expect(after.open('one', sealed)).toEqual(HELD)
    expect(before.open('one', after.seal('one', HELD))).toBeUndefined()
    expect(new TokenBindings([NEW]).open('one', sealed)).toBeUndefined()
  })

  it('is nothing for another token, and whatever is changed in it', () => {
    expect(before.open('two', sealed)).toBeUndefined()
    const bytes = Buffer.from(sealed, 'base64url')
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(bytes.readUInt8(index) ^ 1, index)
      expect([index, before.open('one', changed.toString('base64url'))]).toEqual([index, undefined])
    }
    for (const odd of ['', 'x', '.', sealed.slice(0, 20)])
      expect(before.open('one', odd)).toBeUndefined()
  })
})
