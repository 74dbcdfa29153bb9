import { Migration } from '@mikro-orm/migrations'

export class Migration20261130115700_consent_claims extends Migration {
  override up(): void {
    this.addSql(`alter table "consent" add column "claims" text[] not null default '{}';`)
  }
}
