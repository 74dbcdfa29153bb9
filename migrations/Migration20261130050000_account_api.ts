import { Migration } from '@mikro-orm/migrations'

/**
 * The account API is for apps that were registered for it. Those that use it already go on: who
 * names it, or holds a consent or a live refresh token for it. SQL does not know the issuer, but no
 * other resource ends like this without being registered itself.
 */
const isAccountApi = (resource: string): string =>
  `(${resource} like '%/api/auth' and not exists (select from "resource" r where r."identifier" = ${resource}))`

const NAMED = `exists (select from jsonb_array_elements_text(coalesce(c."metadata"->'allowed_resources', '[]')) as named where ${isAccountApi('named')})`
const ALLOWED = `
select k."client_id" from "consent" k cross join lateral jsonb_each(k."resource_scopes") as allowed ("resource", "scopes")
where ${isAccountApi('allowed."resource"')} and allowed."scopes" ? 'account'`
const HELD = `
select a."client_id" from "oidc_artifact" a cross join lateral jsonb_path_query(a."payload", '$.resource[*]') as held
where a."model" = 'RefreshToken' and a."client_id" is not null and a."consumed_at" is null and (a."expires_at" is null or a."expires_at" > now())
  and ${isAccountApi(`(held #>> '{}')`)}`

export class Migration20261130050000_account_api extends Migration {
  override name = 'Migration20261130050000_account_api'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "session_proof" ("session_id" varchar(64) not null, "client_id" varchar(100) not null, "level" smallint not null, "proved_at" timestamptz not null, primary key ("session_id", "client_id"));`,
    )
    this.addSql(
      `alter table "session_proof" add constraint "session_proof_session_id_foreign" foreign key ("session_id") references "session" ("id") on delete cascade;`,
    )
    this.addSql(`alter table "client" add column "account_api" varchar(4) not null default 'off';`)
    this.addSql(
      `update "client" c set "account_api" = 'kept' where c."metadata"->'response_types' is distinct from '[]' and (${NAMED} or c."id" in (${ALLOWED}) or c."id" in (${HELD}));`,
    )
  }
}
