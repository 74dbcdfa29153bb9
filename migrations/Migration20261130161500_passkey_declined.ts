import { Migration } from '@mikro-orm/migrations'

/** Where a passkey was offered and not wanted, it is not offered again for a while. */
export class Migration20261130161500_passkey_declined extends Migration {
  override up(): void {
    this.addSql(`alter table "known_device" add column "passkey_declined_at" timestamptz null;`)
  }
}
