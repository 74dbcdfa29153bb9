import { Migration } from '@mikro-orm/migrations'

/** A client_id has up to 512 characters (decision 0051). */
export class Migration20261130173105_long_client_ids_of_oidc_artifact extends Migration {
  override up(): void {
    this.addSql(`alter table "oidc_artifact" alter column "client_id" type varchar(512);`)
  }
}
