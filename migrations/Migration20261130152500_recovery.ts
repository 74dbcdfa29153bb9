import { Migration } from '@mikro-orm/migrations'

/** A recovery waits: one for an account, and for a day none after one that was called off. */
export class Migration20261130152500_recovery extends Migration {
  override up(): void {
    this.addSql(`alter table "verification_token" add "available_at" timestamptz null;`)
    this.addSql(
      `create unique index "verification_token_recovery" on "verification_token" ("subject_id") where "purpose" in ('recovery_hold', 'recovery_cancelled');`,
    )
  }
}
