import { Migration } from '@mikro-orm/migrations'

/** What was shown before a challenge of the second step; a password, if the version before issued it. */
export class Migration20261130151500_first_steps extends Migration {
  override up(): void {
    this.addSql(
      `alter table "mfa_challenge" add column "first_step" text[] not null default '{password}';`,
    )
  }
}
