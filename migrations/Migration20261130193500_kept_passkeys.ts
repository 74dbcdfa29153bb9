import { Migration } from '@mikro-orm/migrations'

/** Until when a passkey may report the recovery that took its place, and is not removed. */
export class Migration20261130193500_kept_passkeys extends Migration {
  override up(): void {
    this.addSql(`alter table "passkey" add column "kept_until" timestamptz null;`)
  }
}
