import { Migration } from '@mikro-orm/migrations'

/** Devices whose owner lets them skip the second step. */
export class Migration20261130170500_trusted_devices extends Migration {
  override up(): void {
    this.addSql(
      `alter table "known_device" add column "trusted_until" timestamptz null, add column "trusted_version" int null, add column "trusted_agent" varchar(512) null;`,
    )
  }
}
