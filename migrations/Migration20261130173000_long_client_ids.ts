import { Migration } from '@mikro-orm/migrations'

/** A client_id has up to 512 characters (decision 0051). */
export class Migration20261130173000_long_client_ids extends Migration {
  override up(): void {
    this.addSql(`alter table "client" alter column "id" type varchar(512);`)
  }
}
