import { Migration } from '@mikro-orm/migrations'

/** The trusted device on which a session was opened without its second step. */
export class Migration20261130170600_sessions_of_trusted_devices extends Migration {
  override up(): void {
    this.addSql(`alter table "session" add column "trusted_device" bytea null;`)
  }
}
