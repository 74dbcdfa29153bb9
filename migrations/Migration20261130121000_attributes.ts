import { Migration } from '@mikro-orm/migrations'

/** Name, type and greatest length of what is shipped. Off: people see it where the operator wants it. */
const SHIPPED = `
insert into "attribute_definition" ("name", "type", "scope", "max_length") values
  ('given_name', 'text', 'profile', 100), ('middle_name', 'text', 'profile', 100),
  ('family_name', 'text', 'profile', 100), ('nickname', 'text', 'profile', 100),
  ('gender', 'text', 'profile', 100), ('birthdate', 'date', 'profile', 10),
  ('website', 'url', 'profile', 2048), ('profile', 'url', 'profile', 2048),
  ('zoneinfo', 'zone', 'profile', 64), ('address', 'address', 'address', 100);`

/** What OpenID Connect says of people beside what `account` has columns for (decision 0056). */
export class Migration20261130121000_attributes extends Migration {
  override name = 'Migration20261130121000_attributes'

  override up(): void {
    this.addSql(
      `create table "attribute_definition" ("name" varchar(64) not null, "type" varchar(16) not null, "scope" varchar(64) not null, "editable_by" varchar(8) not null default 'user', "source" varchar(64) null, "in_id_token" boolean not null default false, "max_length" smallint not null, "is_on" boolean not null default false, primary key ("name"));`,
    )
    this.addSql(SHIPPED)
    this.addSql(
      `create table "account_attribute" ("account_id" uuid not null, "name" varchar(64) not null, "value" jsonb not null, primary key ("account_id", "name"));`,
    )
    this.addSql(
      `alter table "account_attribute" add constraint "account_attribute_account_id_foreign" foreign key ("account_id") references "account" ("id") on update cascade on delete cascade;`,
    )
    this.addSql(
      `alter table "account_attribute" add constraint "account_attribute_name_foreign" foreign key ("name") references "attribute_definition" ("name") on update cascade on delete cascade;`,
    )
  }
}
