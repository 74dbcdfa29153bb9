import { MessageBox } from '../../crypto/message-box.ts'
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
  readonly #box: MessageBox
  readonly #leewaySeconds: (clientId: string) => number

  constructor({ keys, leewaySeconds }: RefreshAnswersDeps) {
    this.#box = new MessageBox(keys, 'refresh answers')
    this.#leewaySeconds = leewaySeconds
  }

  /** To be stored by the call that spends the token; nothing without leeway. */
  kept({ token, clientId, asked, body, minted }: Kept): Minted[] {
    const seconds = this.#leewaySeconds(clientId)
    const { refresh_token: refreshToken } = body
    if (seconds === 0 || refreshToken === undefined) return []
    const given: Given = { refreshToken, ...jwtsIn(body, minted), asked }
    const box = this.#box.seal(token, JSON.stringify(given), aad(token, clientId))
    return [keptAnswer({ token, next: refreshToken, sealed: box.toString('base64'), seconds })]
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
    if (sealed === undefined) return undefined
    const plain = this.#box.open(token, Buffer.from(sealed, 'base64'), aad(token, clientId))
    const given = plain === undefined ? undefined : (JSON.parse(plain) as Given)
    return given?.asked === asked ? given : undefined
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

const aad = (token: string, clientId: string): Buffer =>
  Buffer.concat([idDigest('RefreshToken', token), Buffer.from(clientId)])

function jwtsIn(
  { access_token: accessToken = '', id_token: idToken }: TokenAnswer,
  minted: readonly Minted[],
) {
  const opaque = minted.find(({ model }) => model === 'AccessToken')
  const times = ({ jti = '', iat = 0, exp = 0 }: AdapterPayload) => ({ jti, iat, exp })
  return {
    accessToken: times(opaque ? opaque.payload : claimsOf(accessToken)),
    idToken: idToken === undefined ? undefined : times(claimsOf(idToken)),
  }
}

/** Of a JWT that was signed here a moment ago: nothing of it has to be checked. */
function claimsOf(jwt: string): AdapterPayload {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'))
}
