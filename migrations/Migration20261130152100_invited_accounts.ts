import { Migration } from '@mikro-orm/migrations'

/** Whose address is not held to the rule of domains. */
export class Migration20261130152100_invited_accounts extends Migration {
  override up(): void {
    this.addSql(`alter table "account" add column "is_invited" boolean not null default false;`)
  }
}
