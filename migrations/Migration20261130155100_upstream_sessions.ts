import { Migration } from '@mikro-orm/migrations'

/** Under which session of an upstream provider one here was opened. */
export class Migration20261130155100_upstream_sessions extends Migration {
  override up(): void {
    this.addSql(
      `alter table "session" add column "provider_id" varchar(40) null, add column "upstream_sid" varchar(255) null;`,
    )
    this.addSql(
      `create index "session_upstream" on "session" ("provider_id", "upstream_sid") where "upstream_sid" is not null;`,
    )
  }
}
