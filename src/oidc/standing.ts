import type { Adapter, AdapterPayload, StoreAdapter } from './adapters/adapter.ts'
import { decorated } from './adapters/decorated.ts'
import type { FindAccount } from './find-account.ts'
import { TOKEN_LENGTHS } from './tokens/token-lengths.ts'

export interface StandingDeps {
  readonly adapterFor: (model: string) => Adapter
  readonly findAccount: FindAccount
  /** Whether what a client was given at that time (Unix) still counts. */
  readonly honours: (clientId: string, issuedAt: number) => Promise<boolean>
}

/**
 * Judges what the storage finds, and nothing else: a grant counts while its client honours it
 * (CL-01), a session of somebody while its row is there, even if the storage has brought it back
 * (SE-06), and a token only as the kind that its length tells. All other layers lie above this one.
 */
export function standing({
  adapterFor,
  findAccount,
  honours,
}: StandingDeps): (model: string) => StoreAdapter {
  return (model) => {
    const adapter: StoreAdapter = adapterFor(model)
    if (model === 'Grant')
      return decorated(adapter, { find: async (id) => honoured(await adapter.find(id)) })
    if (model === 'Session')
      return decorated(adapter, { find: async (id) => signedIn(await adapter.find(id)) })
    const length = TOKEN_LENGTHS.get(model)
    const mayBe = (id: string): boolean => id.length === (length ?? id.length)
    const { findInContext } = adapter
    return decorated(adapter, {
      find: async (id) => (mayBe(id) ? adapter.find(id) : undefined),
      ...(findInContext && {
        findInContext: async (id) => {
          const found = mayBe(id) ? await findInContext.call(adapter, id) : undefined
          return found && { ...found, grant: await honoured(found.grant) }
        },
      }),
    })
  }

  /** Every token of an app hangs on a grant: with it ends what the app held when it was disabled. */
  async function honoured(grant: Found): Promise<AdapterPayload | undefined> {
    return grant && (await honours(grant.clientId ?? '', grant.iat ?? 0)) ? grant : undefined
  }

  async function signedIn(session: Found): Promise<AdapterPayload | undefined> {
    if (!session?.accountId) return session ?? undefined
    return (await findAccount(session.accountId, session.uid)) && session
  }
}

type Found = Awaited<ReturnType<Adapter['find']>>

/** The session that the token ends with: its account counts only while that is there (SE-06). */
export function sessionOf(token: object | undefined): string | undefined {
  const { expiresWithSession, sessionUid } = (token ?? {}) as Partial<AdapterPayload>
  return expiresWithSession ? sessionUid : undefined
}
