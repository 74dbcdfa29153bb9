import { Migration } from '@mikro-orm/migrations'

/** Through which app a sign-up came. */
export class Migration20261130152000_who_may_register extends Migration {
  override up(): void {
    this.addSql(`alter table "pending_sign_up" add column "client_id" varchar(512) null;`)
  }
}
