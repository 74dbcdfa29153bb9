import { Migration } from '@mikro-orm/migrations'

/** What the tokens of an API look like and open besides, and which client serves it. */
export class Migration20261130114500_resource_switches extends Migration {
  override name = 'Migration20261130114500_resource_switches'

  override up(): void | Promise<void> {
    this.addSql(
      `alter table "resource" add "opens_userinfo" boolean not null default false, add "token_typ" varchar(8) not null default 'at+jwt', add "served_by_id" varchar(100) null;`,
    )
    this.addSql(`create index "resource_served_by_id_index" on "resource" ("served_by_id");`)
    this.addSql(
      `alter table "resource" add constraint "resource_served_by_id_foreign" foreign key ("served_by_id") references "client" ("id") on delete set null;`,
    )
  }
}
