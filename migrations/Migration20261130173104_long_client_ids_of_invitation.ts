import { Migration } from '@mikro-orm/migrations'

/** A client_id has up to 512 characters (decision 0051). */
export class Migration20261130173104_long_client_ids_of_invitation extends Migration {
  override up(): void {
    this.addSql(`alter table "invitation" alter column "client_id" type varchar(512);`)
  }
}
