import type { Account } from '../../../entities/index.ts'
import { userHandleOf } from './credential.ts'
import type { RelyingParty } from './options.ts'
import type { PasskeyView } from './passkey-view.ts'

/**
 * By the names of the browser's calls (WebAuthn 5.1.10). `all` are all of the account, as one
 * statement read them: what is not in it is offered no more.
 */
export function signalsOf(
  { id: rpId }: RelyingParty,
  { id, email, name }: Pick<Account, 'id' | 'email' | 'name'>,
  all: readonly PasskeyView[],
) {
  const userId = userHandleOf(id)
  const allAcceptedCredentialIds = all.map(({ credentialId }) => credentialId)
  return {
    signalAllAcceptedCredentials: { rpId, userId, allAcceptedCredentialIds },
    signalCurrentUserDetails: { rpId, userId, name: email, displayName: name },
  }
}
