import { decodeJwt } from 'jose'
import type { AccessToken, IdToken, Provider, RefreshToken } from 'oidc-provider'
import { currentUnit } from '../trips/request-unit.ts'

type Identified = { generateTokenId(): string; jti?: string }

/**
 * Lets the provider's models come out as they did, where a request repeats another: same ids, same
 * moments.
 */
export function repeatTokens({ RefreshToken, AccessToken, IdToken }: Provider): void {
  const given = () => currentUnit()?.given
  identify(RefreshToken.prototype, () => given()?.refreshToken)
  identify(AccessToken.prototype, (token) => {
    const { jti, iat, exp } = given()?.accessToken ?? {}
    if (iat !== undefined && exp !== undefined)
      Object.assign(token, { iat, exp, expiresIn: exp - now() })
    return jti
  })
  const { issue } = IdToken.prototype
  IdToken.prototype.issue = async function again(this: IdToken, options) {
    const times = given()?.idToken
    if (!times) return issue.call(this, options)
    this.set('iat', times.iat)
    const sign = () => issue.call(this, { ...options, expiresAt: times.exp })
    const token = await sign()
    // The library reads the clock twice, and a second may end in between.
    return decodeJwt(token).exp === times.exp ? token : sign()
  }
}

function identify<Token extends AccessToken | RefreshToken>(
  prototype: Token,
  known: (token: Token) => string | undefined,
): void {
  const model = prototype as unknown as Identified
  const { generateTokenId } = model
  model.generateTokenId = function again(this: Identified) {
    const fresh = generateTokenId.call(this)
    return known(this as unknown as Token) ?? fresh
  }
}

const now = (): number => Math.floor(Date.now() / 1000)
