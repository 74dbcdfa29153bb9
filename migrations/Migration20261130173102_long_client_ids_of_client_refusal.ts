import { Migration } from '@mikro-orm/migrations'

/** A client_id has up to 512 characters (decision 0051). */
export class Migration20261130173102_long_client_ids_of_client_refusal extends Migration {
  override up(): void {
    this.addSql(`alter table "client_refusal" alter column "client_id" type varchar(512);`)
  }
}
