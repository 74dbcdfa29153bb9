import { SecretBox } from '../../../src/crypto/secret-box.ts'
import type { ProviderKindName } from '../../../src/entities/provider.ts'
import { createGuardedFetch, type Fetch } from '../../../src/outgoing/guarded-fetch.ts'
import { SETTINGS } from '../../../src/upstream/provider-settings.ts'
import { KINDS } from '../../../src/upstream/providers/index.ts'
import type { LiveProvider } from '../../../src/upstream/providers.ts'
import { UpstreamRefusal } from '../../../src/upstream/refusal.ts'
import { RelyingParty } from '../../../src/upstream/relying-party.ts'
import { secretContext } from '../../../src/upstream/secret.ts'
import { TEST_SECRETS } from '../secrets.ts'
import { TO_LOOPBACK } from './tls.ts'

export const box = new SecretBox(TEST_SECRETS.keyEncryptionKeys)
export const redirectUri = 'https://id.example/upstream/acme/callback'
let made = 0

/** A provider as the flows have it, of no database. */
export function liveProvider(
  kind: ProviderKindName,
  issuer: string,
  client: { id: string; secret: string },
  settings: object = {},
): LiveProvider {
  const id = `p${++made}`
  return {
    id,
    kind,
    name: 'Acme',
    issuer,
    clientId: client.id,
    secretBox: box.seal(client.secret, secretContext(id)),
    scopes: KINDS[kind].scopes,
    settings: SETTINGS[kind].parse(settings),
    version: 1,
  }
}

export const relyingParty = (fetch: Fetch = createGuardedFetch(TO_LOOPBACK)): RelyingParty =>
  new RelyingParty({ box, fetch })

/** One sign-in, as a browser makes it. */
export async function signIn(
  from: LiveProvider,
  op: { authorize(url: URL): Promise<URL> },
  { party = relyingParty(), user }: { party?: RelyingParty; user?: string } = {},
) {
  const [state, nonce] = ['state of this flow', 'nonce of this flow']
  const { url, verifier } = await party.begin(from, { state, nonce, redirectUri })
  const { searchParams: parameters } = await op.authorize(url)
  return party.redeem(
    from,
    { redirectUri, parameters, ...(user ? { user } : {}) },
    {
      state,
      nonce,
      verifier,
    },
  )
}

/** Why it was refused, or what came instead. */
export const reasonOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    (profile) => profile,
    (refusal: unknown) => refusal,
  )
  return error instanceof UpstreamRefusal ? [error.reason, error.code] : error
}
