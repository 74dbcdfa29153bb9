import { expect } from './connection.ts'
import { OPERATIONS, type Operation, operation } from './operations.ts'
import { clientCredentials } from './requests.ts'
import { type Effort, interleaved, overRounds } from './rounds.ts'
import { run, type ScratchPostgres } from './scratch.ts'
import { Target } from './target.ts'

const FEW = 1000
const MOST_CLIENTS = 10_000

export interface Growth {
  readonly accounts: number
  readonly clients: number
  readonly loadSeconds: number
  /** By operation: time of one operation with many rows over its time with few. */
  readonly ratios: Readonly<Record<string, number>>
}

interface GrowthSettings {
  readonly postgres: ScratchPostgres
  readonly accounts: number
  readonly effort: Effort
  readonly pinned: (target: Target) => void
}

/**
 * Two servers, one on a database with few rows and one on a database with many, take turns at every
 * operation.
 */
export async function growth({
  postgres,
  accounts,
  effort,
  pinned,
}: GrowthSettings): Promise<Growth> {
  const clients = Math.min(accounts, MOST_CLIENTS)
  await using few = await grown(postgres, { label: 'few', accounts: FEW, clients: FEW })
  const began = performance.now()
  await using many = await grown(postgres, { label: 'many', accounts, clients })
  const loadSeconds = (performance.now() - began) / 1000
  for (const target of [few, many]) pinned(target)
  const ratios: Record<string, number> = {}
  const perTarget = new Map([
    [few, FEW],
    [many, clients],
  ])
  for (const asked of [...OPERATIONS, byAllClients(perTarget)].filter(({ on }) =>
    on.includes('gatehouse'),
  )) {
    const figures = await interleaved([few, many], asked, effort)
    const { few: small, many: large } = figures
    ratios[asked.name] = small && large ? overRounds(small, large, 'perSecond') : Number.NaN
  }
  return { accounts, clients, loadSeconds, ratios }
}

async function grown(
  postgres: ScratchPostgres,
  { label, accounts, clients }: { label: string; accounts: number; clients: number },
) {
  const databaseUrl = await postgres.database()
  const target = await Target.start({
    kind: 'gatehouse',
    label,
    databaseUrl,
    grownAccounts: accounts,
  })
  await run(
    databaseUrl,
    ...statements(accounts, clients),
    'vacuum (analyze) "account", "client", "oidc_artifact"',
    'checkpoint',
  )
  return target
}

/** Every client in turn, so that no cache of the few most used ones helps. */
function byAllClients(clients: ReadonlyMap<Target, number>): Operation {
  return operation(
    'client_credentials, all clients in turn',
    'hello',
    async (target) => {
      const count = clients.get(target) ?? 1
      let turn = 0
      return async (connection) =>
        void expect(
          await connection.send(clientCredentials(target, `grown-${(turn++ % count) + 1}`)),
          200,
        )
    },
    { on: ['gatehouse'] },
  )
}

/**
 * Rows as sign-ups and sign-ins leave them: accounts, a grant and a refresh token each, and clients
 * with the bench's own secret.
 */
function statements(accounts: number, clients: number): string[] {
  const payload = `'{"kind": "grown", "scope": "openid email offline_access read", "rotations": 0, "accountId": "' || md5('grown ' || i)::uuid || '"}'`
  return [
    'set synchronous_commit = off',
    `insert into "account" ("id", "name", "email", "email_verified_at", "password_hash", "password_changed_at", "created_at", "updated_at")
     select md5('grown ' || i)::uuid, 'Person ' || i, 'person' || i || '@grown.example', now(), '$argon2id$v=19$m=19456,t=2,p=1$AA$AA', now(), now(), now()
     from generate_series(1, ${accounts}) i`,
    `insert into "client" ("id", "name", "secret_digest", "metadata", "created_at", "updated_at")
     select 'grown-' || i, 'Client ' || i, c."secret_digest", c."metadata", now(), now() from generate_series(1, ${clients}) i, "client" c where c."id" = 'bench'`,
    ...['Grant', 'RefreshToken'].map(
      (
        model,
      ) => `insert into "oidc_artifact" ("model", "id_digest", "payload", "grant_id", "account_id", "client_id", "expires_at")
       select '${model}', sha256(convert_to('${model}:grown-' || i, 'UTF8')), (${payload})::jsonb, 'grown-' || i, md5('grown ' || i)::uuid::text, 'bench',
       now() + interval '14 days' from generate_series(1, ${accounts}) i`,
    ),
  ]
}
