import { MessageBox } from '../../crypto/message-box.ts'

/** What the token of a person hangs on: it is good while both are there. */
export interface Binding {
  readonly grantId: string
  /** Of a token that ends with its session. */
  readonly sessionUid?: string | undefined
}

/** The claim of a JWT that says it. */
export const BINDING = 'gatehouse_binding'

/**
 * Seals into a JWT what it hangs on, so that it can be judged when it comes back and nothing is
 * stored for it. APIs see noise, another in each token: by a session in clear they could tell that
 * people of two apps are one.
 */
export class TokenBindings {
  readonly #box: MessageBox

  /** `KEY_ENCRYPTION_KEYS`, newest first. */
  constructor(keys: readonly string[]) {
    this.#box = new MessageBox(keys, 'token bindings')
  }

  /** The same token has the same text when it is given again (TK-03). */
  seal(jti: string, { grantId, sessionUid }: Binding): string {
    const plain = JSON.stringify([grantId, sessionUid])
    return this.#box.seal(jti, plain, Buffer.from(jti)).toString('base64url')
  }

  /** Undefined if it was not sealed for that token, or by a key that is gone. */
  open(jti: string, sealed: string): Binding | undefined {
    const plain = this.#box.open(jti, Buffer.from(sealed, 'base64url'), Buffer.from(jti))
    if (plain === undefined) return undefined
    const [grantId, sessionUid] = JSON.parse(plain) as [string, string | null]
    return { grantId, sessionUid: sessionUid ?? undefined }
  }
}
