import { Migration } from '@mikro-orm/migrations'

/**
 * The version before counts `strongest` itself, and knows no passkeys: an account that has one stays
 * at two factors, whatever it counts. Its trigger for the version before it goes.
 */
export class Migration20261130151600_strongest_with_passkey extends Migration {
  override up(): void {
    this.addSql(`drop trigger "account_strongest" on "account";`)
    this.addSql(`drop function "account_strongest"();`)
    this.addSql(`create function "account_strongest_with_passkey"() returns trigger language plpgsql as $$
begin
  if new."strongest" < 2 then
    if exists (select from "passkey" where "account_id" = new."id") then
      new."strongest" := 2;
    end if;
  end if;
  return new;
end $$;`)
    this.addSql(`create trigger "account_strongest_with_passkey" before update of "strongest"
on "account" for each row execute function "account_strongest_with_passkey"();`)
  }
}
