import type { Claims } from '../kind.ts'

/** What OpenID Connect Core 5.1 calls it; what is no text is nothing. */
export function standardClaims(claims: Claims) {
  return {
    email: text(claims['email']),
    name: text(claims['name']),
    picture: text(claims['picture']),
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
