import { createPrivateKey, sign } from 'node:crypto'
import type { OpenIdKind } from '../kind.ts'
import type { ProviderSettings } from '../provider-settings.ts'
import { standardClaims } from './standard-claims.ts'

const ISSUER = 'https://appleid.apple.com'
const SECRET_SECONDS = 300

/** Apple posts its answer as a form, takes a JWT for a secret, and tells a name once, unsigned. */
export const apple: OpenIdKind = {
  kind: 'apple',
  speaks: 'openid',
  title: 'Apple',
  issuer: () => ISSUER,
  takesIssuer: false,
  answersByForm: true,
  scopes: ['openid', 'email', 'name'],
  parameters: () => ({ response_mode: 'form_post' }),
  secret: clientSecret,
  read: (claims, _settings, user) => ({
    email: standardClaims(claims).email,
    emailProven: claims['email_verified'] === true || claims['email_verified'] === 'true',
    name: nameIn(user),
  }),
}

function clientSecret(key: string, clientId: string, { teamId, keyId }: ProviderSettings): string {
  const issuedAt = Math.floor(Date.now() / 1000)
  const claims = {
    iss: teamId,
    iat: issuedAt,
    exp: issuedAt + SECRET_SECONDS,
    aud: ISSUER,
    sub: clientId,
  }
  const content = [{ alg: 'ES256', kid: keyId }, claims].map(encoded).join('.')
  const signature = sign('sha256', Buffer.from(content), {
    key: createPrivateKey(key),
    dsaEncoding: 'ieee-p1363',
  })
  return `${content}.${signature.toString('base64url')}`
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** Of `{"name":{"firstName":"…","lastName":"…"}}`. */
function nameIn(user: string | undefined): string | undefined {
  try {
    const { name } = JSON.parse(user ?? '{}') as {
      readonly name?: { readonly firstName?: unknown; readonly lastName?: unknown }
    }
    const parts = [name?.firstName, name?.lastName].filter((part) => typeof part === 'string')
    return parts.join(' ').trim() || undefined
  } catch {
    return undefined
  }
}
