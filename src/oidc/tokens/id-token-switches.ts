import type { AccessToken, IdToken, Provider } from 'oidc-provider'
import { settingsOf } from '../clients/settings.ts'

/** What the app was given as its access token, by the token that was stored. */
const values = new WeakMap<AccessToken, string>()

/**
 * ID tokens as their clients want them: the engine has one setting for all clients, and no `at_hash`
 * at the token endpoint.
 */
export function followSwitches({ AccessToken: AccessTokens, IdToken: IdTokens }: Provider): void {
  const { save } = AccessTokens.prototype
  AccessTokens.prototype.save = async function saved(this: AccessToken) {
    const value = await save.call(this)
    values.set(this, value)
    return value
  }
  const { issue } = IdTokens.prototype
  IdTokens.prototype.issue = async function issued(this: IdToken, options) {
    const { AccessToken: beside } = this.ctx?.oidc.entities ?? {}
    return issue.call(options.use === 'idtoken' && beside ? switched(this, beside) : this, options)
  }
}

/** With what its client wants to be said beside that access token. */
export function switched(idToken: IdToken, accessToken: AccessToken): IdToken {
  const { id_token_claims: claims, at_hash: hasHash } = settingsOf(idToken.client)
  // That of userinfo has the scopes that were granted; beside the token of another API the ID token
  // says everything anyway.
  if (claims === 'scope' && accessToken.aud === undefined)
    Object.assign(idToken, { scope: accessToken.scope })
  if (hasHash) idToken.set('at_hash', values.get(accessToken))
  return idToken
}
