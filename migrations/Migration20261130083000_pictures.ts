import { Migration } from '@mikro-orm/migrations'

export class Migration20261130083000_pictures extends Migration {
  override up(): void {
    this.addSql(
      `create table "picture" ("digest" varchar(64) not null, "type" varchar(16) not null, "content" bytea not null, "used_at" timestamptz not null, primary key ("digest"));`,
    )
    this.addSql(
      `alter table "client" add column "logo_digest" varchar(64) null, add column "logo_queued_at" timestamptz null;`,
    )
    this.addSql(
      `alter table "client" add constraint "client_logo_digest_foreign" foreign key ("logo_digest") references "picture" ("digest") on delete set null;`,
    )
  }
}
