import { Migration } from '@mikro-orm/migrations'

export class Migration20261130051500_server_state extends Migration {
  override name = 'Migration20261130051500_server_state'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "server_state" ("id" boolean not null default true, "epoch" uuid not null, "restored_at" timestamptz null, "note" text null, "checked_at" timestamptz null, primary key ("id"));`,
    )
    this.addSql(`insert into "server_state" ("epoch") values (gen_random_uuid());`)
  }
}
