import { redirectKind } from './redirect-kind.ts'

/** What a request had not, or wanted, and was refused for. */
export type Lack = 'code_challenge' | 'response_mode'

/** A refused request, as far as it decides which switch would let it through. */
export interface RefusedRequest {
  readonly lack: Lack
  readonly redirectUri: string
  /** It would have an ID token that the nonce comes back in. */
  readonly hasNonce: boolean
  readonly responseMode?: string
}

/** What the operator can do about it. */
export interface Advice {
  /** What is added to `gatehouse client update <id>`; absent: no switch lets it through. */
  readonly option?: string
  readonly says: string
}

/** Which switch of the client a refused request needs: for the log, and for `doctor client`. */
export function adviceOn(
  { lack, redirectUri, hasNonce, responseMode = '' }: RefusedRequest,
  { authMethod, responseModes }: Registered,
): Advice {
  if (lack === 'response_mode')
    return {
      option: `--response-mode ${[...responseModes, responseMode].join(' ')}`,
      says: `the app asks for response_mode=${responseMode}`,
    }
  if (authMethod === 'none')
    return { says: 'the app sends no code_challenge, and has no secret: it has to send one' }
  if (redirectKind(redirectUri) !== 'https')
    return { says: 'the app sends no code_challenge, which is for https redirect URIs only' }
  return hasNonce
    ? { option: '--pkce or_nonce', says: 'the app sends a nonce, but no code_challenge' }
    : { option: '--pkce optional', says: 'the app sends neither a code_challenge nor a nonce' }
}

/** Of the registration. */
export interface Registered {
  readonly authMethod: string
  readonly responseModes: readonly string[]
}

/** What is given up by the switches of a client, one sentence each. */
export function givenUpBy({ pkce }: { readonly pkce: string }): string[] {
  if (pkce !== 'optional') return []
  return [
    '--pkce optional: nothing ties a code to the browser that asked for it. A code that is stolen, or planted in another browser, is stopped by the secret and by the "state" of the app alone. If the app sends a nonce and checks it, --pkce or_nonce keeps that tie.',
  ]
}
