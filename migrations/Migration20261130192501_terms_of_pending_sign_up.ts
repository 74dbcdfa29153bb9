import { Migration } from '@mikro-orm/migrations'

/** Which version of the terms was accepted with a sign-up. */
export class Migration20261130192501_terms_of_pending_sign_up extends Migration {
  override up(): void {
    this.addSql(`alter table "pending_sign_up" add column "terms_version" varchar(32) null;`)
  }
}
