import { Migration } from '@mikro-orm/migrations'

/** A trusted provider brought the two factors of a session. */
export class Migration20261130191500_two_factors_of_providers extends Migration {
  override up(): void {
    this.addSql(`alter table "session" add column "brought_two" boolean not null default false;`)
  }
}
