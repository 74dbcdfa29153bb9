import { Provider } from '../../../src/entities/index.ts'
import type { ProviderKindName } from '../../../src/entities/provider.ts'
import { announce } from '../../../src/feed/changes.ts'
import { KINDS } from '../../../src/upstream/providers/index.ts'
import { secretContext } from '../../../src/upstream/secret.ts'
import { eventually } from '../eventually.ts'
import type { TestServer } from '../server.ts'
import { type FakeGitHub, GITHUB_CLIENT } from './fake-github.ts'
import { HOSTILE_CLIENT } from './hostile-op.ts'

export interface NewProvider {
  readonly id?: string
  readonly kind?: ProviderKindName
  readonly name?: string
  readonly issuer: string
  /** Default: the one that a hostile provider knows. */
  readonly client?: { readonly id: string; readonly secret: string }
  readonly settings?: Readonly<Record<string, unknown>>
  readonly position?: number
}

/** A provider, straight into the database: whatever its kind, at an issuer of the test. */
export async function createProvider(
  { context }: Pick<TestServer, 'context'>,
  {
    id = 'acme',
    kind = 'oidc',
    name = 'Acme',
    issuer,
    client = HOSTILE_CLIENT,
    settings = {},
    position = 0,
  }: NewProvider,
): Promise<string> {
  await context.database.em.fork().transactional(async (tx) => {
    tx.create(Provider, {
      id,
      kind,
      name,
      issuer,
      clientId: client.id,
      secretBox: context.box.seal(client.secret, secretContext(id)),
      scopes: [...KINDS[kind].scopes],
      settings,
      position,
    })
    await announce(tx, { kind: 'provider', id })
  })
  return id
}

/** Several at one issuer, whose addresses are believed; `trust`: whether what each says of factors is, too. */
export async function createTrusted(
  server: Pick<TestServer, 'context'>,
  { issuer }: Pick<NewProvider, 'issuer'>,
  trust: Readonly<Record<string, boolean>>,
): Promise<void> {
  for (const [id, trustAmr] of Object.entries(trust))
    await createProvider(server, { id, issuer, settings: { emailTrust: 'claim', trustAmr } })
}

/** GitHub, after the provider that comes first. */
export const createGitHub = (
  server: Pick<TestServer, 'context'>,
  { issuer }: FakeGitHub,
): Promise<string> =>
  createProvider(server, {
    id: 'github',
    kind: 'github',
    name: 'GitHub',
    issuer,
    client: GITHUB_CLIENT,
    position: 1,
  })

/** Ready once the server has heard of it. */
export async function changeProvider(
  { context }: Pick<TestServer, 'context'>,
  id: string,
  changed: Partial<Provider>,
): Promise<void> {
  const { providers } = context
  const before = await providers.find(id)
  await context.database.em.fork().transactional(async (tx) => {
    await tx.nativeUpdate(Provider, { id }, changed)
    await announce(tx, { kind: 'provider', id })
  })
  await eventually(async () => (await providers.find(id)) !== before, true)
}

/** As if the account had connected the person whom the provider speaks of. */
export async function createIdentity(
  { context }: Pick<TestServer, 'context'>,
  accountId: string,
  op: { readonly issuer: string; readonly person: Readonly<Record<string, unknown>> },
  provider = 'acme',
): Promise<void> {
  await context.database.pool.query(
    `insert into identity (id, account_id, provider_id, issuer, subject, linked_at, linked_by)
     values (gen_random_uuid(), $1, $2, $3, $4, now(), 'link')`,
    [accountId, provider, op.issuer, op.person['sub']],
  )
}
