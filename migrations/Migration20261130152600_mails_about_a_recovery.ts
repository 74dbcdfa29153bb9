import { Migration } from '@mikro-orm/migrations'

/** Mails that are planned for a recovery go with it. Both tables are locked in the order of requests. */
export class Migration20261130152600_mails_about_a_recovery extends Migration {
  override up(): void {
    this.addSql(`lock table "verification_token" in share row exclusive mode;`)
    this.addSql(`alter table "outbox_message" add "about_id" uuid null;`)
    this.addSql(
      `alter table "outbox_message" add constraint "outbox_message_about_id_foreign" foreign key ("about_id") references "verification_token" ("id") on delete cascade;`,
    )
    this.addSql(`create index "outbox_message_about_id_index" on "outbox_message" ("about_id");`)
  }
}
