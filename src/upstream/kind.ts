import type { ProviderKindName } from '../entities/provider.ts'
import type { ProviderSettings } from './provider-settings.ts'

/** What a provider says of a person, read by the file of its kind and not yet judged. */
export interface Told {
  readonly subject: string
  readonly email?: string | undefined
  /** Whether the provider says, and means, that the address is this person's. */
  readonly emailProven: boolean
  readonly name?: string | undefined
  readonly picture?: string | undefined
}

/** Claims of an ID token, and of userinfo where the ID token left them out. */
export type Claims = Readonly<Record<string, unknown>>

/** One answer of a provider's own API as JSON; `absent` if it has nothing there (404). */
export type Ask = (path: string) => Promise<unknown>
export const absent = Symbol('absent')

export interface Asking {
  /** The person chooses an account over there, however few they have. */
  readonly again: boolean
}

interface AnyKind {
  readonly kind: ProviderKindName
  /** What its button says unless the operator names it. */
  readonly title: string
  readonly scopes: readonly string[]
  /** The one there is, unless the operator names another or has to. */
  issuer?(settings: ProviderSettings): string
  /** Whether the operator may name another issuer. */
  readonly takesIssuer: boolean
  /**
   * Whether it takes `max_age`, and says when the person signed in (OpenID Connect Core 3.1.2.1).
   */
  readonly tellsWhen?: true
  /** What else the authorization request says. */
  parameters?(settings: ProviderSettings, asking: Asking): Readonly<Record<string, string>>
}

/** A provider of OpenID Connect: who the person is, is in a signed ID token. */
export interface OpenIdKind extends AnyKind {
  readonly speaks: 'openid'
  /** Under which name it signs, too, beside that of its metadata. */
  alsoIssuer?(issuer: string): string
  /** Its callback is a form that it posts, from its own site. */
  readonly answersByForm?: boolean
  /** Whether people of this account over there may come at all. */
  accepts?(claims: Claims, settings: ProviderSettings): boolean
  /** `user`: what the form of the callback says of the person, as if they had typed it. */
  read(claims: Claims, settings: ProviderSettings, user?: string): Omit<Told, 'subject'>
  /** The client secret of one request, made of the key that is stored. */
  secret?(key: string, clientId: string, settings: ProviderSettings): string
}

/** A provider of plain OAuth 2.0: who the person is, its own API tells. */
export interface OAuthKind extends AnyKind {
  readonly speaks: 'oauth'
  endpoints(issuer: string): {
    readonly authorization: string
    readonly token: string
    readonly api: string
  }
  readonly accept: string
  read(ask: Ask): Promise<Told>
}

export type ProviderKind = OpenIdKind | OAuthKind
