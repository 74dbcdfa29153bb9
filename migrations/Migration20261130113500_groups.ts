import { Migration } from '@mikro-orm/migrations'

/**
 * Flat groups, and who is in them. `organisation_id` is for organisations, which come later: the
 * unique index has it already.
 */
export class Migration20261130113500_groups extends Migration {
  override up(): void {
    this.addSql(
      `create table "account_group" ("id" uuid not null, "organisation_id" uuid null, "name" varchar(100) not null, "name_key" varchar(200) not null, "display_name" varchar(100) null, "description" varchar(500) null, "external_id" varchar(255) null, "source_id" uuid null, "managed_by" varchar(8) not null default 'operator', "version" int not null default 1, "created_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(
      `create unique index "account_group_name" on "account_group" (coalesce("organisation_id", '00000000-0000-0000-0000-000000000000'::uuid), "name_key");`,
    )
    this.addSql(
      `create table "group_member" ("group_id" uuid not null, "account_id" uuid not null, "source" varchar(64) not null default 'operator', "since" timestamptz not null, "until" timestamptz null, primary key ("group_id", "account_id", "source"));`,
    )
    this.addSql(`create index "group_member_account_id_index" on "group_member" ("account_id");`)
    this.addSql(
      `alter table "group_member" add constraint "group_member_group_id_foreign" foreign key ("group_id") references "account_group" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "group_member" add constraint "group_member_account_id_foreign" foreign key ("account_id") references "account" ("id") on delete cascade;`,
    )
    this.addSql(
      `alter table "resource" add column "include_groups" boolean not null default false;`,
    )
  }
}
