import type { Account, AdapterPayload } from 'oidc-provider'
import { UPSTREAM } from '../../accounts/factors/methods/upstream.ts'
import type { SignInOfSession } from '../../accounts/sessions/session-providers.ts'

/** Where it is known by which provider people came in a session. */
export interface FindsProvider {
  find(signIn: SignInOfSession): Promise<string | undefined>
}

/**
 * The account with `idp` for its ID tokens, if the sign-in that the code or refresh token came of
 * was one by a provider: it is asked for only then. Other ways to sign in have none.
 */
export function sayingIdp(
  account: Account | undefined,
  source: object | undefined,
  providers: FindsProvider,
): Account | undefined {
  const { amr = [], authTime, sessionUid: sessionId } = (source ?? {}) as Partial<AdapterPayload>
  const isUpstream = UPSTREAM.amr.some((value) => amr.includes(value))
  if (!account || !isUpstream || !sessionId || authTime === undefined) return account
  const { accountId } = account
  return {
    ...account,
    async claims(use, ...asked) {
      const claims = await account.claims(use, ...asked)
      if (use !== 'id_token') return claims
      const idp = await providers.find({ sessionId, accountId, authTime })
      return idp === undefined ? claims : { ...claims, idp }
    },
  }
}
