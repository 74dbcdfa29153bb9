import { Migration } from '@mikro-orm/migrations'

/** Sessions from before have shown no second factor that counts: the next sensitive step asks for it. */
export class Migration20261130043000_second_proved_at extends Migration {
  override name = 'Migration20261130043000_second_proved_at'

  override up(): void | Promise<void> {
    this.addSql(`alter table "session" add column "second_proved_at" timestamptz null;`)
  }
}
