import { Migration } from '@mikro-orm/migrations'

/**
 * A code of the second factor remembers the challenge that it answered, so that the same one may
 * finish after a fault.
 */
export class Migration20261130053000_spent_by extends Migration {
  override up(): void {
    this.addSql(`alter table "mfa_challenge" add column "spent_at" timestamptz null;`)
    this.addSql(`alter table "recovery_code" add column "used_by" bytea null;`)
    this.addSql(`alter table "totp_credential" add column "last_step_by" bytea null;`)
  }
}
