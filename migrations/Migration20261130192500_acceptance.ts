import { Migration } from '@mikro-orm/migrations'

/** Which version of the terms somebody has accepted. */
export class Migration20261130192500_acceptance extends Migration {
  override up(): void {
    this.addSql(
      `create table "acceptance" ("account_id" uuid not null, "document" varchar(32) not null, "version" varchar(32) not null, "locale" varchar(35) null, "accepted_at" timestamptz not null, primary key ("account_id", "document", "version"));`,
    )
    this.addSql(
      `alter table "acceptance" add constraint "acceptance_account_id_foreign" foreign key ("account_id") references "account" ("id") on delete cascade;`,
    )
  }
}
