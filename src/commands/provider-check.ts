import type { Provider } from '../entities/index.ts'
import { StartupError } from '../errors.ts'
import { ownAddresses } from '../upstream/addresses.ts'
import { liveProvider } from '../upstream/providers.ts'
import { UpstreamRefusal } from '../upstream/refusal.ts'
import type { RelyingParty } from '../upstream/relying-party.ts'
import type { Answer } from './answer.ts'

/** What is wrong, and whose it is to mend. */
const WORDS: Partial<Record<UpstreamRefusal['reason'], string>> = {
  unreachable:
    'cannot be reached: the name, the network, or its certificate. A private network has to be in OUTGOING_PRIVATE_NETWORKS',
  slow: 'did not answer in time',
  broken: 'gave no answer that an OpenID provider would give; see whether --issuer is right',
  issuer: 'says that it is another issuer than --issuer; they must be equal, to the last slash',
  client_refused: 'does not know this client, or not by this secret',
}

/** Asks the provider itself, whether it is enabled or not. */
export async function checkProvider(
  provider: Provider,
  relyingParty: Pick<RelyingParty, 'check'>,
  issuer: string,
): Promise<Answer> {
  const { id } = provider
  const { live, fault } = liveProvider(provider)
  if (!live) throw new StartupError(`${id} cannot be used: ${fault}`)
  try {
    const found = await relyingParty.check(live, ownAddresses(issuer, id).redirectUri)
    const client = found.isClientKnown
      ? 'It knows this client and its secret.'
      : 'Whether it knows this client shows only when somebody signs in.'
    return {
      lines: [`${id} answers as ${found.issuer}. ${client}`],
      json: { id, ok: true, issuer: found.issuer, client_known: found.isClientKnown },
    }
  } catch (error) {
    if (!(error instanceof UpstreamRefusal)) throw error
    const { reason } = error
    const what = `${id} ${WORDS[reason] ?? `answers wrongly (${reason})`}.`
    const cause = causeOf(error)
    return {
      lines: [what],
      json: { id, ok: false, reason, cause: cause ?? null },
      notes: cause === undefined ? [] : [`The cause: ${cause}`],
      exitCode: 1,
    }
  }
}

/** The innermost, which is the network's or the library's own. */
function causeOf(error: unknown): string | undefined {
  let found: string | undefined
  for (let each = error; each instanceof Error; each = each.cause)
    if (each !== error) found = each.message
  return found
}
