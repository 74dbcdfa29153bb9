import { Migration } from '@mikro-orm/migrations'

/** The last refused request of a client for each switch. */
export class Migration20261130125000_client_refusal extends Migration {
  override up(): void {
    this.addSql(
      `create table "client_refusal" ("client_id" varchar(100) not null, "lack" varchar(32) not null, "detail" jsonb not null, "first_at" timestamptz not null, "last_at" timestamptz not null, primary key ("client_id", "lack"));`,
    )
    this.addSql(`create index "client_refusal_last_at_index" on "client_refusal" ("last_at");`)
    this.addSql(
      `alter table "client_refusal" add constraint "client_refusal_client_id_foreign" foreign key ("client_id") references "client" ("id") on delete cascade;`,
    )
  }
}
