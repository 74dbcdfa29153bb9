import type { Registered } from '../../src/accounts/factors/passkeys/enrolment.ts'
import { Authenticator, type Kind } from './authenticator.ts'
import type { TestServer } from './server.ts'

export const ORIGIN_OF_TEST = { ip: '127.0.0.1', userAgent: 'test', requestId: 'test' }

type Owner = Pick<TestServer, 'origin' | 'context'>

/** A passkey of an account, straight through the use case: for tests that are about using it. */
export async function givePasskey(
  { origin, context }: Owner,
  account: { readonly id: string; readonly email: string; readonly name: string },
  kind: Kind = {},
): Promise<Registered & { authenticator: Authenticator }> {
  const authenticator = new Authenticator(origin, kind)
  const purpose = kind.flags?.uv === false ? 'second' : 'passkey'
  const binding = `test:${account.id}`
  const options = await context.passkeys.creationOptions(account, binding, purpose)
  const registered = await context.passkeys.register(
    { accountId: account.id, credential: authenticator.register(options), binding, purpose },
    ORIGIN_OF_TEST,
  )
  return { ...registered, authenticator }
}
