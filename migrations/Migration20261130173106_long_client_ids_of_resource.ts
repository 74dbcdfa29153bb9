import { Migration } from '@mikro-orm/migrations'

/** A client_id has up to 512 characters (decision 0051). */
export class Migration20261130173106_long_client_ids_of_resource extends Migration {
  override up(): void {
    this.addSql(`alter table "resource" alter column "served_by_id" type varchar(512);`)
  }
}
