import { Migration } from '@mikro-orm/migrations'

/**
 * How strong an account's sign-in can be: 0 nothing, 1 one factor, 2 two. `accounts/factors/ways.ts`
 * counts it from here on. Instances of the version before write `mfa_enabled` and know nothing of
 * it: the trigger counts for them, and goes with the first method that they do not know.
 */
export class Migration20261130084500_strongest extends Migration {
  override up(): void {
    const counted = (row: string) =>
      `case when ${row}"mfa_enabled" then 2 when ${row}"password_hash" is not null then 1 else 0 end`
    this.addSql(`alter table "account" add column "strongest" smallint not null default 0;`)
    this.addSql(`update "account" set "strongest" = ${counted('')};`)
    this.addSql(`create function "account_strongest"() returns trigger language plpgsql as $$
begin
  new."strongest" := ${counted('new.')};
  return new;
end $$;`)
    this.addSql(`create trigger "account_strongest" before insert or update of "mfa_enabled", "password_hash"
on "account" for each row execute function "account_strongest"();`)
  }
}
