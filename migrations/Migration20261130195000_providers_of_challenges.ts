import { Migration } from '@mikro-orm/migrations'

/** By which provider somebody came who is asked for a second step. */
export class Migration20261130195000_providers_of_challenges extends Migration {
  override up(): void {
    this.addSql(
      `alter table "mfa_challenge" add column "provider_id" varchar(40) null, add column "upstream_sid" varchar(255) null;`,
    )
  }
}
