import { Migration } from '@mikro-orm/migrations'

/** Who people are at upstream providers, and those who are on their way there and back. */
export class Migration20261130155000_identities extends Migration {
  override up(): void {
    this.addSql(
      `create table "identity" ("id" uuid not null, "account_id" uuid not null, "provider_id" varchar(40) not null, "issuer" varchar(512) not null, "subject" varchar(255) not null, "email" varchar(254) null, "display_name" varchar(100) null, "linked_at" timestamptz not null, "linked_by" varchar(8) not null, "last_used_at" timestamptz null, "suspended_at" timestamptz null, primary key ("id"));`,
    )
    this.addSql(`create index "identity_account_id_index" on "identity" ("account_id");`)
    this.addSql(
      `alter table "identity" add constraint "identity_key" unique ("provider_id", "issuer", "subject");`,
    )
    this.addSql(
      `alter table "identity" add constraint "identity_account_id_foreign" foreign key ("account_id") references "account" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "identity" add constraint "identity_provider_id_foreign" foreign key ("provider_id") references "provider" ("id") on delete restrict;`,
    )
    this.addSql(
      `create table "upstream_flow" ("state_digest" bytea not null, "provider_id" varchar(40) not null, "purpose" varchar(8) not null, "binding" bytea not null, "browser_digest" bytea not null, "box" bytea not null, "expires_at" timestamptz not null, primary key ("state_digest"));`,
    )
    this.addSql(`create index "upstream_flow_expires_at_index" on "upstream_flow" ("expires_at");`)
    this.addSql(
      `alter table "upstream_flow" add constraint "upstream_flow_provider_id_foreign" foreign key ("provider_id") references "provider" ("id") on delete cascade;`,
    )
    this.addSql(
      `create table "upstream_arrival" ("id" uuid not null, "provider_id" varchar(40) not null, "binding" bytea not null, "box" bytea not null, "expires_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "upstream_arrival_expires_at_index" on "upstream_arrival" ("expires_at");`,
    )
    this.addSql(
      `alter table "upstream_arrival" add constraint "upstream_arrival_provider_id_foreign" foreign key ("provider_id") references "provider" ("id") on delete cascade;`,
    )
  }
}
