import { Migration } from '@mikro-orm/migrations'

/** What a trusted provider said of the first step of somebody who is asked for a second one. */
export class Migration20261130202500_told_of_challenges extends Migration {
  override up(): void {
    this.addSql(`alter table "mfa_challenge" add column "told" text[] not null default '{}';`)
  }
}
