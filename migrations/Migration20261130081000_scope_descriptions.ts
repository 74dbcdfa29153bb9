import { Migration } from '@mikro-orm/migrations'

export class Migration20261130081000_scope_descriptions extends Migration {
  override up(): void {
    this.addSql(
      `alter table "resource" add column "scope_descriptions" jsonb not null default '{}';`,
    )
  }
}
