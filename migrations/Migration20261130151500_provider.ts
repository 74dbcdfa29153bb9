import { Migration } from '@mikro-orm/migrations'

/** Servers of others that people may sign in with. */
export class Migration20261130151500_provider extends Migration {
  override up(): void {
    this.addSql(
      `create table "provider" ("id" varchar(40) not null, "kind" varchar(16) not null, "name" varchar(100) not null, "issuer" varchar(512) null, "client_id" varchar(255) not null, "secret_box" bytea null, "scopes" text[] not null, "settings" jsonb not null default '{}', "position" int not null default 0, "version" int not null default 1, "disabled_at" timestamptz null, "created_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("id"));`,
    )
  }
}
