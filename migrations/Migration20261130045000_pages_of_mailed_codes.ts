import { Migration } from '@mikro-orm/migrations'

export class Migration20261130045000_pages_of_mailed_codes extends Migration {
  override up(): void {
    this.addSql(`alter table "verification_token" add "page_id" uuid null;`)
    this.addSql(
      `create index "verification_token_address" on "verification_token" ("address", "purpose");`,
    )
  }
}
