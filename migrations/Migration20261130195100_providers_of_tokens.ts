import { Migration } from '@mikro-orm/migrations'

/** Since when people come by a provider in a session, for what its tokens say of it. */
export class Migration20261130195100_providers_of_tokens extends Migration {
  override up(): void {
    this.addSql(
      `alter table "session" add column "idp" varchar(40) null, add column "idp_since" timestamptz null;`,
    )
  }
}
