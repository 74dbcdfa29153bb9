import { Migration } from '@mikro-orm/migrations'

/**
 * A recovery waits: one for an account, and for a day none after one that was called off. Mails that
 * are planned for it go with it.
 */
export class Migration20261130152500_recovery extends Migration {
  override up(): void {
    this.addSql(`alter table "verification_token" add "available_at" timestamptz null;`)
    this.addSql(
      `create unique index "verification_token_recovery" on "verification_token" ("subject_id") where "purpose" in ('recovery_hold', 'recovery_cancelled');`,
    )
    this.addSql(`alter table "outbox_message" add "about_id" uuid null;`)
    this.addSql(
      `alter table "outbox_message" add constraint "outbox_message_about_id_foreign" foreign key ("about_id") references "verification_token" ("id") on delete cascade;`,
    )
    this.addSql(`create index "outbox_message_about_id_index" on "outbox_message" ("about_id");`)
  }
}
