import { Migration } from '@mikro-orm/migrations'

/** Passkeys, and the challenges that they have answered. */
export class Migration20261130151500_passkeys extends Migration {
  override up(): void {
    this.addSql(
      `create table "passkey" ("id" uuid not null, "account_id" uuid not null, "credential_id" bytea not null, "public_key" bytea not null, "alg" int not null, "rp_id" varchar(253) not null, "sign_count" bigint not null default '0', "is_discoverable" boolean null, "is_backup_eligible" boolean not null, "is_backed_up" boolean not null, "has_verified" boolean not null, "aaguid" uuid null, "transports" text[] not null default '{}', "name" varchar(60) null, "created_at" timestamptz not null, "last_used_at" timestamptz null, "suspended_at" timestamptz null, "suspended_for" varchar(16) null, primary key ("id"));`,
    )
    this.addSql(`create index "passkey_account_id_index" on "passkey" ("account_id");`)
    this.addSql(
      `alter table "passkey" add constraint "passkey_credential_id_unique" unique ("credential_id");`,
    )
    this.addSql(
      `create table "spent_challenge" ("digest" bytea not null, "expires_at" timestamptz not null, primary key ("digest"));`,
    )
    this.addSql(
      `create index "spent_challenge_expires_at_index" on "spent_challenge" ("expires_at");`,
    )
    this.addSql(
      `alter table "passkey" add constraint "passkey_account_id_foreign" foreign key ("account_id") references "account" ("id") on delete cascade;`,
    )
  }
}
