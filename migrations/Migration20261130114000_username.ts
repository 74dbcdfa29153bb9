import { Migration } from '@mikro-orm/migrations'

/** Names that software gives power to, or that people take for the operator. */
const RESERVED =
  'abuse admin administrator admins all anonymous api bin contact daemon default demo ' +
  'everyone ftp gatehouse git guest help helpdesk here host hostmaster http info local mail ' +
  'manager me moderator mysql no-reply nobody none noreply null official operator owner ' +
  'postgres postmaster public root security self service ssh staff sudo superadmin ' +
  'superuser support sys sysadmin system team test undefined unknown user users webmaster ' +
  'www'

/**
 * Each account gets a user name that apps may show and file under. The trigger gives it, so that
 * rows of the version before have one too, and it records every name that is given, for ever: a
 * digest outlives the account, and no name is given twice (decision 0055).
 */
export class Migration20261130114000_username extends Migration {
  override name = 'Migration20261130114000_username'

  override up(): void {
    this.addSql(
      `create table "given_username" ("digest" varchar(64) not null, primary key ("digest"));`,
    )
    this.addSql(`alter table "account" add column "username" varchar(40) not null default '';`)
    this.addSql(`create function "is_reserved_username"("wanted" text) returns boolean language sql immutable as $$
  select "wanted" = any(string_to_array('${RESERVED}', ' '))
$$;`)
    this.addSql(`create function "username_slug"("name" text) returns text language plpgsql immutable as $$
declare
  plain text := translate(lower(normalize("name", NFKD)), 'øłđðħı', 'olddhi');
begin
  plain := replace(replace(replace(replace(plain, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
  plain := regexp_replace(plain, '[\\u0300-\\u036f''’]', '', 'g');
  plain := trim('-' from left(trim('-' from regexp_replace(plain, '[^a-z0-9]+', '-', 'g')), 20));
  return case when plain = '' or "is_reserved_username"(plain) then 'user' else plain end;
end $$;`)
    this.addSql(`create function "username_digest"("username" text) returns text language sql immutable as $$
  select encode(sha256(convert_to(lower(normalize("username", NFKC) collate "C"), 'UTF8')), 'hex')
$$;`)
    this.addSql(`create function "random_base32"("length" int) returns text language sql volatile as $$
  select string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', get_byte("bytes", "at") % 32 + 1, 1), '')
  from (select sha256(uuid_send(gen_random_uuid())) as "bytes") as "random", generate_series(0, "length" - 1) as "at"
$$;`)
    // Who inserts a digest that another transaction has inserted waits until that one has ended:
    // two accounts at once never get one name. After a few names that were taken they get longer.
    this.addSql(`create function "give_username"("name" text) returns text language plpgsql volatile as $$
declare
  slug text := "username_slug"("name");
  chosen text;
begin
  for tries in 1..100 loop
    chosen := slug || '-' || "random_base32"(case when tries <= 8 then 4 else 8 end);
    insert into "given_username" ("digest") values ("username_digest"(chosen)) on conflict do nothing;
    if found then return chosen; end if;
  end loop;
  raise exception 'no user name is free';
end $$;`)
    this.addSql(`update "account" set "username" = "give_username"("name");`)
    this.addSql(
      `alter table "account" add constraint "account_username_unique" unique ("username");`,
    )
    this.addSql(`create function "account_username"() returns trigger language plpgsql as $$
begin
  if new."username" = '' then
    new."username" := "give_username"(new."name");
  else
    insert into "given_username" ("digest") values ("username_digest"(new."username"));
  end if;
  return new;
end $$;`)
    this.addSql(`create trigger "account_username" before insert
on "account" for each row execute function "account_username"();`)
    this.addSql(`create trigger "account_username_changed" before update of "username"
on "account" for each row when (old."username" <> new."username") execute function "account_username"();`)
  }
}
