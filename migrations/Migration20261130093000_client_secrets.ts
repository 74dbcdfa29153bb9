import { Migration } from '@mikro-orm/migrations'

/**
 * Several secrets of a client. `client.secret_digest` stays what the previous version reads and
 * writes: the digest of the newest one.
 */
export class Migration20261130093000_client_secrets extends Migration {
  override name = 'Migration20261130093000_client_secrets'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "client_secret" ("id" uuid not null, "client_id" varchar(100) not null, "digest" varchar(64) not null, "label" varchar(100) null, "created_at" timestamptz not null, "expires_at" timestamptz null, "last_used_at" timestamptz null, primary key ("id"));`,
    )
    this.addSql(`create index "client_secret_client_id_index" on "client_secret" ("client_id");`)
    this.addSql(
      `alter table "client_secret" add constraint "client_secret_client_id_foreign" foreign key ("client_id") references "client" ("id") on delete cascade;`,
    )
    this.addSql(
      `insert into "client_secret" ("id", "client_id", "digest", "created_at") select gen_random_uuid(), "id", "secret_digest", "created_at" from "client" where "secret_digest" is not null;`,
    )
  }
}
