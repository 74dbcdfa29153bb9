import { Migration } from '@mikro-orm/migrations'

/** A client_id has up to 512 characters (decision 0051). */
export class Migration20261130173101_long_client_ids_of_client_secret extends Migration {
  override up(): void {
    this.addSql(`alter table "client_secret" alter column "client_id" type varchar(512);`)
  }
}
