import { Migration } from '@mikro-orm/migrations'

/** Through which app a sign-up came, and whose address is not held to the rule of domains. */
export class Migration20261130152000_who_may_register extends Migration {
  override up(): void {
    this.addSql(`alter table "pending_sign_up" add column "client_id" varchar(512) null;`)
    this.addSql(`alter table "account" add column "is_invited" boolean not null default false;`)
  }
}
