/** Each adapter call is one of these, prepared once per connection under its name. */
interface Statement {
  readonly name: string
  readonly text: string
}

/** How long the trace of an ended session outlives it: longer than any request that may still hold it. */
const TRACE = `interval '10 minutes'`

const LIVE = `("expires_at" is null or "expires_at" > now())`
/** Ended by someone else, not by a rotation that is under way. */
const REVOKED = `"consumed_at" is not null and not "payload" ? 'rotation'`
const FOUND = `
  "a"."payload"::text as "payload", "a"."client_id"::text as "clientId", extract(epoch from "a"."consumed_at")::float8 as "consumedAt",
  extract(epoch from now() - "a"."consumed_at")::float8 as "secondsAgo"`
const live = (alias: string): string =>
  `("${alias}"."expires_at" is null or "${alias}"."expires_at" > now())`

/** $1 model, $2 digests. */
const WANTED = `from "oidc_artifact" as "a" where "a"."model" = $1 and "a"."id_digest" = any($2::bytea[]) and ${live('a')}`

const INTO = `
insert into "oidc_artifact" as "a"
  ("model", "id_digest", "payload", "grant_id", "account_id", "client_id", "session_uid", "lookup_digest", "consumed_at", "expires_at")`
/** The ten parameters of a row, behind so many others. */
const valuesAfter = (others: number): string =>
  `$1::varchar, $2::bytea, $3::jsonb, $4::varchar, $5::varchar, $6::varchar, $7::varchar, $8::bytea, to_timestamp($9::float8),
   now() + $10::float8 * interval '1 second'`.replaceAll(
    /\$(\d+)/g,
    (_all, at: string) => `$${Number(at) + others}`,
  )
const VALUES = valuesAfter(0)
const REPLACE = `
  "payload" = excluded."payload", "grant_id" = excluded."grant_id", "account_id" = excluded."account_id", "client_id" = excluded."client_id",
  "session_uid" = excluded."session_uid", "expires_at" = excluded."expires_at"`
const ON_SAME_ID = `
on conflict ("model", "id_digest") do update set ${REPLACE}, "lookup_digest" = excluded."lookup_digest",
  "consumed_at" = coalesce("a"."consumed_at", excluded."consumed_at")`

/** $1 model, $2 digest. Who waited for another's consumption finds none left. */
const CONSUME = `
update "oidc_artifact" set "consumed_at" = now() where "model" = $1 and "id_digest" = $2 and "consumed_at" is null and ${LIVE}`
const CONSUMED = `with "consumed" as (${CONSUME} returning 1)`

function exchangeFor(rows: number): string {
  const values = Array.from(
    { length: rows },
    (_, at) => `select ${valuesAfter(2 + at * 10)} from "consumed"`,
  )
  return `${CONSUMED} ${INTO} ${values.join(' union all ')} ${ON_SAME_ID}`
}

/**
 * Leaves the trace. The rows are locked whole first: the update alone leaves their keys free, and
 * would not wait for a code that is being stored (`upsertCode`).
 */
function endSessions(where: string, payload = `'{}'`): string {
  const those = `"model" = 'Session' and ${where}`
  return `
with "held" as (select from "oidc_artifact" where ${those} for update)
update "oidc_artifact" set "payload" = ${payload}, "consumed_at" = coalesce("consumed_at", now()), "expires_at" = now() + ${TRACE}
where ${those} and (select count(*) from "held") > 0`
}

const statement = (name: string, text: string): Statement => ({ name: `artifact_${name}`, text })

export const SQL = {
  find: statement('find', `select "a"."id_digest" as "digest", ${FOUND} ${WANTED}`),
  /**
   * Tokens, each with its grant and its session. The digests are those of `artifact-keys.ts`;
   * subqueries, so that each is always an index lookup.
   */
  findInContext: statement(
    'find_in_context',
    `select "a"."id_digest" as "digest", ${FOUND}, "a"."grant_id" as "grantId", "a"."session_uid" as "sessionUid",
       (select "g"."payload"::text from "oidc_artifact" as "g" where "g"."model" = 'Grant'
         and "g"."id_digest" = sha256(convert_to('Grant:' || "a"."grant_id", 'UTF8')) and ${live('g')}) as "grant",
       case when "a"."payload"->'expiresWithSession' = 'true' then (
         select "s"."payload"::text from "oidc_artifact" as "s" where "s"."model" = 'Session'
           and "s"."lookup_digest" = sha256(convert_to('Session.lookup:' || "a"."session_uid", 'UTF8'))
           and "s"."consumed_at" is null and ${live('s')}) end as "session"
     ${WANTED}`,
  ),
  findByLookup: statement(
    'find_by_lookup',
    `select ${FOUND} from "oidc_artifact" as "a" where "model" = $1 and "lookup_digest" = $2 and ${LIVE}`,
  ),

  upsert: statement('upsert', `${INTO} values (${VALUES}) ${ON_SAME_ID}`),

  /**
   * The lock makes a concurrent revocation wait for this code, or this code see the revocation.
   * The session may be stored meanwhile: that takes no lock on its key.
   */
  upsertCode: statement(
    'upsert_code',
    `with "s" as materialized (
       select "consumed_at", "payload" from "oidc_artifact" where "model" = 'Session' and "lookup_digest" = $11::bytea for key share
     ) ${INTO} select ${VALUES} where not exists (select from "s" where ${REVOKED}) ${ON_SAME_ID}`,
  ),

  /**
   * One row per `uid`: it keeps its id, or follows the rotation that proves itself; everything else
   * is late and stores nothing. Not `on conflict do update`: that knows one unique index, and
   * concurrent writers of one session would trip over the other.
   */
  upsertSession: statement(
    'upsert_session',
    `with "kept" as (
       update "oidc_artifact" set "payload" = $3::jsonb, "account_id" = $5::varchar, "id_digest" = $2::bytea, "consumed_at" = null,
         "expires_at" = now() + $10::float8 * interval '1 second'
       where "model" = 'Session' and "lookup_digest" = $8::bytea and (
         ("consumed_at" is null and "id_digest" = $2::bytea)
         or ("payload"->>'rotation' = $11::text and "id_digest" <> $2::bytea))
       returning 1
     ) ${INTO} select ${VALUES} where not exists (select from "kept") on conflict do nothing`,
  ),

  insertIfAbsent: statement(
    'insert_if_absent',
    `${INTO} values (${VALUES}) on conflict ("model", "id_digest") do update set ${REPLACE} where "a"."expires_at" <= now()`,
  ),

  /**
   * $1 models, $2 digests, $3 milliseconds, $4 payloads (`$used`), of what another storage has
   * spent: its row here is consumed and holds no more; a whole one, of a move that was cut off, is
   * consumed too. In one order, so that no two instances wait for each other.
   */
  use: statement(
    'use',
    `insert into "oidc_artifact" as "a" ("model", "id_digest", "payload", "consumed_at", "expires_at")
     select distinct on ("model", "digest") "model", "digest", "payload", now(), now() + "left" * interval '1 millisecond'
     from unnest($1::varchar[], $2::bytea[], $3::float8[], $4::jsonb[]) as "used" ("model", "digest", "left", "payload")
     order by "model", "digest"
     on conflict ("model", "id_digest") do update set "consumed_at" = now() where "a"."consumed_at" is null
     returning "id_digest" as "digest"`,
  ),

  consume: statement('consume', CONSUME),
  /** $1 and $2 as in `consume`, the token's row behind them. */
  exchange: statement('exchange', exchangeFor(1)),
  exchangeForTwo: statement('exchange_for_two', exchangeFor(2)),
  exchangeForThree: statement('exchange_for_three', exchangeFor(3)),

  destroy: statement(
    'destroy',
    `delete from "oidc_artifact" where "model" = $1 and "id_digest" = $2`,
  ),

  /** Leaves the proof of who ended it. The second one leaves a session that nobody goes on with. */
  destroySession: statement(
    'destroy_session',
    `${endSessions(
      `"id_digest" = $1`,
      `case when "consumed_at" is null then jsonb_build_object('rotation', $2::text) else '{}' end`,
    )} returning "session_uid" as "sessionUid"`,
  ),

  revokeByGrant: statement(
    'revoke_by_grant',
    `delete from "oidc_artifact" where "model" = $1 and "grant_id" = $2`,
  ),

  revokeSession: statement(
    'revoke_session',
    `with "old" as (select "payload" from "oidc_artifact" where "model" = 'Session' and "lookup_digest" = $1 for update)
     update "oidc_artifact" as "a" set "payload" = '{}', "consumed_at" = coalesce("a"."consumed_at", now()), "expires_at" = now() + ${TRACE}
     from "old" where "a"."model" = 'Session' and "a"."lookup_digest" = $1
     returning "old"."payload"::text as "payload"`,
  ),

  /** $1 session uid, $2 grants that end with it, $3 whether offline access ends too. */
  deleteBySession: statement(
    'delete_by_session',
    `delete from "oidc_artifact" where
       ("session_uid" = $1 and "model" not in ('Session', 'Interaction') and "payload"->'expiresWithSession' = 'true')
       or "grant_id" = any($2::varchar[])`,
  ),

  /** $1 account, $2 uid of the session that stays. */
  revokeSessionsOfAccount: statement(
    'revoke_sessions_of_account',
    endSessions(`"account_id" = $1 and "session_uid" is distinct from $2::varchar`),
  ),

  /** $1 account, $2 uid of the session that stays, $3 its grants. */
  deleteByAccount: statement(
    'delete_by_account',
    `delete from "oidc_artifact" where "account_id" = $1 and "model" <> 'Session' and ($2::varchar is null or not (
       coalesce("session_uid" = $2, false) or ("model" = 'Grant' and ("grant_id" = any($3::varchar[]) or "grant_id" in (
         select "grant_id" from "oidc_artifact" where "session_uid" = $2 and "grant_id" is not null)))))`,
  ),

  deleteByAccountAndClient: statement(
    'delete_by_client',
    `delete from "oidc_artifact" where "account_id" = $1 and "client_id" = $2`,
  ),
} as const satisfies Record<string, Statement>
