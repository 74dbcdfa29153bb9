import pg from 'pg'

/** Rows as sign-ups and sign-ins leave them: accounts, a grant and a refresh token each, and clients. */
export async function grow(databaseUrl: string, accounts: number, clients: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    for (const text of STATEMENTS) await client.query(text, [text.includes('"client"') ? clients : accounts])
    await client.query('analyze')
  } finally {
    await client.end()
  }
}

const STATEMENTS = [
  `insert into "account" ("id", "name", "email", "email_verified_at", "password_hash", "password_changed_at", "created_at", "updated_at")
   select md5('grown ' || i)::uuid, 'Person ' || i, 'person' || i || '@grown.example', now(), '$argon2id$v=19$m=19456,t=2,p=1$AA$AA', now(), now(), now()
   from generate_series(1, $1::int) i on conflict do nothing`,
  `insert into "client" ("id", "name", "metadata", "created_at", "updated_at")
   select 'grown-' || i, 'Client ' || i, '{"redirect_uris": ["https://grown.example/callback"]}', now(), now() from generate_series(1, $1::int) i on conflict do nothing`,
  `insert into "oidc_artifact" ("model", "id_digest", "payload", "grant_id", "account_id", "client_id", "expires_at")
   select m, sha256(convert_to(m || ':grown-' || i, 'UTF8')), '{"kind": "grown", "scope": "openid email offline_access", "rotations": 0}', 'grown-' || i,
     md5('grown ' || i), 'bench', now() + interval '14 days' from generate_series(1, $1::int) i, unnest(array['Grant', 'RefreshToken']) m on conflict do nothing`,
]
