import { createSecretKey, type KeyObject } from 'node:crypto'
import { decodeJwt } from 'jose'
import { openUnder, sealUnder } from '../../crypto/secret-box.ts'
import { deriveKey, hmac } from '../../crypto/token.ts'
import type { AdapterPayload, ContextAdapter, Minted } from '../adapters/adapter.ts'
import { idDigest } from '../adapters/artifact-keys.ts'
import { keptAnswer } from '../adapters/stored-answers.ts'

/** RFC 6749 5.1. */
export interface TokenAnswer {
  readonly access_token?: string
  readonly id_token?: string | undefined
  readonly refresh_token?: string | undefined
}

interface Times {
  readonly iat: number
  readonly exp: number
}

/** What one refresh gave, so that the same can be given again; JWTs are signed anew. */
export interface Given {
  readonly refreshToken: string
  readonly accessToken: Times & { readonly jti: string }
  readonly idToken?: Times | undefined
  /** What the request asked for. */
  readonly asked: string
}

export interface RefreshAnswersDeps {
  /** `KEY_ENCRYPTION_KEYS`, newest first. */
  readonly keys: readonly string[]
  readonly leewaySeconds: (clientId: string) => number
}

/**
 * Keeps the answer to a refresh for the leeway. Its key comes of the spent token *and* a key of the
 * server: neither a copy of the storage with the token nor one with the server's keys opens
 * anything.
 */
export class RefreshAnswers {
  readonly #keys: readonly Buffer[]
  readonly #leewaySeconds: (clientId: string) => number

  constructor({ keys, leewaySeconds }: RefreshAnswersDeps) {
    this.#keys = keys.map((key) => deriveKey(key, 'refresh answers'))
    this.#leewaySeconds = leewaySeconds
  }

  /** To be stored by the call that spends the token; nothing without leeway. */
  kept({ token, clientId, asked, body, minted }: Kept): Minted[] {
    const seconds = this.#leewaySeconds(clientId)
    const { refresh_token: refreshToken } = body
    const [key] = this.#keys
    if (seconds === 0 || refreshToken === undefined || !key) return []
    const given: Given = { refreshToken, ...jwtsIn(body, minted), asked }
    const sealed = sealUnder(
      keyFor(token, key),
      JSON.stringify(given),
      aad(token, clientId),
    ).toString('base64')
    return [keptAnswer({ token, next: refreshToken, sealed, seconds })]
  }

  /**
   * What the token that was spent a moment ago gave to the same client for the same request, if
   * that has not been used yet.
   */
  async find(
    adapter: ContextAdapter,
    { token, clientId, asked }: Omit<Kept, 'body' | 'minted'>,
  ): Promise<Given | undefined> {
    const sealed = await adapter.findAnswer(token)
    const given =
      sealed === undefined ? undefined : this.#open(Buffer.from(sealed, 'base64'), token, clientId)
    return given?.asked === asked ? given : undefined
  }

  #open(sealed: Buffer, token: string, clientId: string): Given | undefined {
    for (const key of this.#keys) {
      try {
        return JSON.parse(
          openUnder(keyFor(token, key), sealed, aad(token, clientId)).toString('utf8'),
        ) as Given
      } catch {
        // Sealed under another of our keys, or not for this client.
      }
    }
    return undefined
  }
}

interface Kept {
  /** The refresh token that was presented. */
  readonly token: string
  readonly clientId: string
  readonly asked: string
  readonly body: TokenAnswer
  readonly minted: readonly Minted[]
}

const keyFor = (token: string, key: Buffer): KeyObject => createSecretKey(hmac(key, token))
const aad = (token: string, clientId: string): Buffer =>
  Buffer.concat([idDigest('RefreshToken', token), Buffer.from(clientId)])

function jwtsIn(
  { access_token: accessToken = '', id_token: idToken }: TokenAnswer,
  minted: readonly Minted[],
) {
  const opaque = minted.find(({ model }) => model === 'AccessToken')
  const times = ({ jti = '', iat = 0, exp = 0 }: AdapterPayload) => ({ jti, iat, exp })
  return {
    accessToken: times(opaque ? opaque.payload : decodeJwt(accessToken)),
    idToken: idToken === undefined ? undefined : times(decodeJwt(idToken)),
  }
}
