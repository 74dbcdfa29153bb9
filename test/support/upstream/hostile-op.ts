import { createHash, randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { FakeProvider } from './fake-provider.ts'
import { type Answered, type Asked, TlsSite } from './tls.ts'

type Claims = Readonly<Record<string, unknown>>

/** How it lies; what is not said is as an honest provider does it. `undefined` as a claim leaves it out. */
export interface Lies {
  /** Of the ID token, over `person`. */
  readonly claims?: Claims
  readonly signature?: 'own' | 'foreign' | 'none' | 'HS256'
  /** Of the callback, over `code`, `state` and `iss`; `undefined` leaves one out. */
  readonly callback?: Readonly<Record<string, string | undefined>>
  readonly metadata?: Claims
  readonly userinfo?: Claims
  readonly token?: Answered
}

interface Started {
  readonly nonce: string
  readonly challenge: string
}

export const HOSTILE_CLIENT = { id: 'gatehouse', secret: 'a secret of the hostile provider' }

/**
 * An OpenID provider that says what a test wants it to say. Who comes is `person`.
 */
export class HostileOp extends FakeProvider {
  person: Claims = { sub: 'mallory', email: 'mallory@example.net', email_verified: true, name: 'M' }
  lies: Lies = {}
  /** Whether the client may redeem with what it shows. */
  knows = async (secret: string): Promise<boolean> => secret === HOSTILE_CLIENT.secret
  readonly site = new TlsSite({
    '/.well-known/openid-configuration': () => ({ body: this.#metadata() }),
    '/jwks': async () => ({ body: { keys: [await this.#jwk()] } }),
    '/authorize': (asked) => this.answer(asked),
    '/token': (asked) => this.#token(asked),
    '/userinfo': () => ({ body: this.lies.userinfo ?? this.person }),
  })
  readonly #started = new Map<string, Started>()
  readonly #key = generateKeyPair('ES256')
  readonly #foreign = generateKeyPair('ES256')

  /** Signed as its ID tokens are. */
  async sign(payload: JWTPayload, signature: Lies['signature'] = 'own', typ = 'JWT') {
    if (signature === 'none') return new UnsecuredJWT(payload).encode()
    const alg = signature === 'HS256' ? 'HS256' : 'ES256'
    const key =
      signature === 'HS256'
        ? new TextEncoder().encode(HOSTILE_CLIENT.secret)
        : (await (signature === 'foreign' ? this.#foreign : this.#key)).privateKey
    return new SignJWT(payload).setProtectedHeader({ alg, kid: 'k1', typ }).sign(key)
  }

  async #jwk(): Promise<object> {
    const { publicKey } = await this.#key
    return { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  }

  #metadata(): Claims {
    return without({
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      userinfo_endpoint: `${this.issuer}/userinfo`,
      jwks_uri: `${this.issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      authorization_response_iss_parameter_supported: true,
      ...this.lies.metadata,
    })
  }

  protected answer({ url }: Pick<Asked, 'url'>): Answered {
    const asked = (name: string) => url.searchParams.get(name) ?? ''
    const code = randomUUID()
    this.secrets.push(code)
    this.#started.set(code, { nonce: asked('nonce'), challenge: asked('code_challenge') })
    const location = new URL(asked('redirect_uri'))
    const answer = { code, state: asked('state'), iss: this.issuer, ...this.lies.callback }
    for (const [name, value] of Object.entries(without(answer)))
      location.searchParams.set(name, String(value))
    return { status: 303, headers: { location: location.href } }
  }

  async #token({ body, headers }: Asked): Promise<Answered> {
    if (this.lies.token) return this.lies.token
    const [, basic = ''] = (headers.authorization ?? '').split(' ')
    const [, secret = ''] = Buffer.from(basic, 'base64').toString().split(':')
    const shown = decodeURIComponent(secret.replaceAll('+', ' '))
    if (!(await this.knows(body.get('client_secret') ?? shown)))
      return {
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="op"' },
        body: { error: 'invalid_client' },
      }
    const code = body.get('code') ?? ''
    const started = this.#started.get(code)
    this.#started.delete(code)
    const verifier = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url')
    if (!started || started.challenge !== verifier)
      return { status: 400, body: { error: 'invalid_grant' } }
    const now = Math.floor(Date.now() / 1000)
    const claims = without({
      iss: this.issuer,
      aud: HOSTILE_CLIENT.id,
      iat: now,
      exp: now + 300,
      auth_time: now,
      nonce: started.nonce,
      ...this.person,
      ...this.lies.claims,
    })
    const access = randomUUID()
    const idToken = await this.sign(claims, this.lies.signature)
    this.secrets.push(access, idToken)
    return {
      body: { access_token: access, token_type: 'Bearer', expires_in: 60, id_token: idToken },
    }
  }
}

function without(claims: Claims): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
}
