import { randomSecret } from '../crypto/token.ts'
import { Connections, type ConnectionsDeps } from './connections.ts'
import { upstreamRefusal } from './failure.ts'
import type { Claims } from './kind.ts'
import { type LogoutClaims, logoutClaims } from './logout-token.ts'
import type { AnyConnection } from './openid.ts'
import { profileOf, type UpstreamProfile } from './profile.ts'
import type { LiveProvider } from './providers.ts'
import { UpstreamRefusal } from './refusal.ts'

export interface Beginning {
  readonly state: string
  readonly nonce: string
  readonly redirectUri: string
  readonly loginHint?: string | undefined
  /** The person wants to choose among several accounts over there. */
  readonly again?: boolean | undefined
  /** How long ago, in seconds, the person may have signed in there. */
  readonly maxAge?: number | undefined
  readonly acrValues?: string | undefined
}

export interface Callback {
  readonly redirectUri: string
  /** All parameters of the callback: `code`, `state`, `iss`, or `error`. */
  readonly parameters: URLSearchParams
  /** The form field of that name, which some send once and unsigned: as if the person had typed it. */
  readonly user?: string | undefined
}

export interface Expected {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  /** The same, counted from now. */
  readonly maxAge?: number | undefined
}

/** This server as a client of a provider. Every failure is an `UpstreamRefusal`. */
export class RelyingParty {
  readonly #connections: Connections

  constructor(deps: ConnectionsDeps) {
    this.#connections = new Connections(deps)
  }

  /** Where the browser goes, and the PKCE verifier that the answer will be redeemed with. */
  begin(provider: LiveProvider, wanted: Beginning): Promise<{ url: URL; verifier: string }> {
    return this.#connections.use(provider, async (at) => {
      const { kind } = at
      const { state, nonce, redirectUri, loginHint, again, maxAge, acrValues } = wanted
      const verifier = randomSecret()
      const openid = {
        nonce,
        ...(maxAge === undefined ? {} : { max_age: String(maxAge) }),
        ...(acrValues === undefined ? {} : { acr_values: acrValues }),
      }
      const url = at.authorizationUrl({
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: provider.scopes.join(' '),
        state,
        code_challenge: await at.challenge(verifier),
        code_challenge_method: 'S256',
        ...(kind.speaks === 'openid' ? openid : {}),
        ...(loginHint === undefined ? {} : { login_hint: loginHint }),
        ...kind.parameters?.(provider.settings, {
          again: again === true || (maxAge !== undefined && !kind.tellsWhen),
        }),
      })
      return { url, verifier }
    })
  }

  /** Who came. The code is spent, whatever becomes of it. */
  redeem(
    provider: LiveProvider,
    { redirectUri, parameters, user }: Callback,
    expected: Expected,
  ): Promise<UpstreamProfile> {
    const callback = new URL(`${redirectUri}?${parameters.toString()}`)
    const redeemed = async (at: AnyConnection): Promise<UpstreamProfile> => {
      const { settings } = provider
      if (at.speaks === 'oauth') {
        const told = await at.kind.read(await at.redeem(callback, expected))
        return { ...profileOf(at.issuer, told, settings), amr: [] }
      }
      const { kind } = at
      const maxAge = kind.tellsWhen ? expected.maxAge : undefined
      const claims = await at.redeem(callback, { ...expected, maxAge })
      if (kind.accepts?.(claims, settings) === false) throw new UpstreamRefusal('not_accepted')
      const told = { subject: String(claims['sub']), ...kind.read(claims, settings, user) }
      return {
        ...profileOf(String(claims['iss']), told, settings),
        amr: amrOf(claims, settings.trustAmr),
        sid: shortText(claims['sid']),
      }
    }
    return this.#connections.use(provider, redeemed, 'browser')
  }

  /** Who has signed out over there. */
  logout(provider: LiveProvider, token: string): Promise<LogoutClaims> {
    return this.#connections.use(provider, async (at) => {
      if (at.speaks !== 'openid') throw new UpstreamRefusal('logout_token')
      const { payload, protectedHeader } = await at.verify(token)
      return logoutClaims(payload, protectedHeader)
    })
  }

  /**
   * Asks the provider itself for its addresses and keys, and, by a code that cannot be good, whether
   * it knows this client. Throws `UpstreamRefusal`.
   */
  async check(provider: LiveProvider, redirectUri: string): Promise<Checked> {
    const at = await this.#connections.anew(provider)
    const [state, nonce] = ['check', 'check']
    const parameters = new URLSearchParams({ code: 'gatehouse-check', state, iss: at.issuer })
    const callback = new URL(`${redirectUri}?${parameters.toString()}`)
    const refusal = await at
      .redeem(callback, { state, nonce, verifier: randomSecret() })
      .then(() => new UpstreamRefusal('refused'), upstreamRefusal)
    const { reason } = refusal
    if (refusal.code === 'upstream_unavailable') throw refusal
    return { issuer: at.issuer, isClientKnown: reason === 'code' }
  }
}

export interface Checked {
  readonly issuer: string
  /** False: it refused the code for a reason of another kind, and may not have looked at the client. */
  readonly isClientKnown: boolean
}

/** How the person signed in there, if the provider is trusted to say. */
function amrOf({ amr }: Claims, isTrusted: boolean): string[] {
  const said = isTrusted && Array.isArray(amr) ? amr.slice(0, 20) : []
  return said.flatMap((each: unknown) => shortText(each) ?? [])
}

function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x20-\x7e]{1,255}$/.test(value) ? value : undefined
}
