import { Migration } from '@mikro-orm/migrations'

/**
 * Audit events are never changed (LG-04), but for two functions: one removes the oldest, one takes
 * the origin out of the events of an erased account. A superuser can still do anything: a head of
 * the chain that was noted elsewhere shows it (`audit verify --expect`).
 */
const AUDIT_GUARD = `
create function audit_event_guard() returns trigger language plpgsql as $$
begin
  if coalesce(current_setting('gatehouse.audit', true), '') <> tg_op then
    raise exception 'audit_event is append-only' using errcode = 'insufficient_privilege';
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger audit_event_rows before update or delete on audit_event for each row execute function audit_event_guard();
create trigger audit_event_truncate before truncate on audit_event for each statement execute function audit_event_guard();

create function audit_event_purge(through bigint) returns bigint language plpgsql as $$
declare
  removed bigint;
begin
  perform set_config('gatehouse.audit', 'DELETE', true);
  delete from audit_event where seq <= through;
  get diagnostics removed = row_count;
  perform set_config('gatehouse.audit', '', true);
  return removed;
end $$;

create function audit_event_erase_origins(erased uuid) returns bigint language plpgsql as $$
declare
  changed bigint;
begin
  perform set_config('gatehouse.audit', 'UPDATE', true);
  update audit_event set ip = null, user_agent = null, origin_salt = null where account_id = erased and origin_salt is not null;
  get diagnostics changed = row_count;
  perform set_config('gatehouse.audit', '', true);
  return changed;
end $$;`

export class Migration20261123224148_initial extends Migration {
  override name = 'Migration20261123224148_initial'

  override up(): void | Promise<void> {
    this.addSql(
      `create table "account" ("id" uuid not null, "name" varchar(100) not null, "email" varchar(254) not null, "email_verified_at" timestamptz null, "phone_number" varchar(32) null, "image_url" varchar(2048) null, "locale" varchar(35) null, "address" jsonb null, "password_hash" text null, "password_changed_at" timestamptz null, "must_reset_password" boolean not null default false, "credential_version" int not null default 1, "status" varchar(16) not null default 'active', "mfa_enabled" boolean not null default false, "delete_after" timestamptz null, "created_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(`alter table "account" add constraint "account_email_unique" unique ("email");`)

    this.addSql(
      `create table "attempt_counter" ("subject" bytea not null, "factor" varchar(16) not null, "failures" int not null default 0, "window_started_at" timestamptz not null, "blocked_until" timestamptz null, "updated_at" timestamptz not null, primary key ("subject", "factor"));`,
    )
    this.addSql(
      `create index "attempt_counter_updated_at_index" on "attempt_counter" ("updated_at");`,
    )

    this.addSql(
      `create table "audit_event" ("seq" bigint not null, "at" timestamptz not null, "type" varchar(48) not null, "outcome" varchar(8) not null, "account_id" uuid null, "client_id" varchar(100) null, "session_id" varchar(64) null, "ip" varchar(45) null, "user_agent" varchar(512) null, "request_id" varchar(64) null, "detail" jsonb not null, "origin_salt" bytea null, "origin_digest" bytea not null, "previous_hash" bytea not null, "hash" bytea not null, primary key ("seq"));`,
    )
    this.addSql(`create index "audit_event_type_index" on "audit_event" ("type");`)
    this.addSql(`create index "audit_event_account" on "audit_event" ("account_id", "seq");`)
    this.addSql(AUDIT_GUARD)

    this.addSql(
      `create table "client" ("id" varchar(100) not null, "name" varchar(100) not null, "secret_digest" varchar(64) null, "metadata" jsonb not null, "is_first_party" boolean not null default false, "require_mfa" boolean not null default false, "refresh_leeway_seconds" int null, "disabled_at" timestamptz null, "created_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("id"));`,
    )

    this.addSql(
      `create table "consent" ("account_id" uuid not null, "client_id" varchar(100) not null, "scopes" text[] not null, "resource_scopes" jsonb not null, "granted_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("account_id", "client_id"));`,
    )

    this.addSql(
      `create table "known_device" ("digest" bytea not null, "account_id" uuid not null, "created_at" timestamptz not null, "last_seen_at" timestamptz not null, primary key ("digest", "account_id"));`,
    )
    this.addSql(
      `create index "known_device_last_seen_at_index" on "known_device" ("last_seen_at");`,
    )

    this.addSql(
      `create table "mfa_challenge" ("id" uuid not null, "account_id" uuid not null, "digest" bytea not null, "binding" varchar(128) not null, "attempts" int not null default 0, "created_at" timestamptz not null, "expires_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(`create index "mfa_challenge_account_id_index" on "mfa_challenge" ("account_id");`)
    this.addSql(
      `alter table "mfa_challenge" add constraint "mfa_challenge_digest_unique" unique ("digest");`,
    )
    this.addSql(`create index "mfa_challenge_expires_at_index" on "mfa_challenge" ("expires_at");`)

    this.addSql(
      `create table "oidc_artifact" ("model" varchar(40) not null, "id_digest" bytea not null, "payload" jsonb not null, "grant_id" varchar(64) null, "account_id" varchar(64) null, "client_id" varchar(100) null, "session_uid" varchar(64) null, "lookup_digest" bytea null, "consumed_at" timestamptz null, "expires_at" timestamptz null, primary key ("model", "id_digest"));`,
    )
    this.addSql(`create index "oidc_artifact_expires_at_index" on "oidc_artifact" ("expires_at");`)
    this.addSql(
      `create index "oidc_artifact_grant_id" on "oidc_artifact" ("grant_id") where "grant_id" is not null;`,
    )
    this.addSql(
      `create index "oidc_artifact_account_id" on "oidc_artifact" ("account_id") where "account_id" is not null;`,
    )
    this.addSql(
      `create index "oidc_artifact_session_uid" on "oidc_artifact" ("session_uid") where "session_uid" is not null;`,
    )
    this.addSql(
      `create unique index "oidc_artifact_lookup" on "oidc_artifact" ("model", "lookup_digest") where "lookup_digest" is not null;`,
    )

    this.addSql(
      `create table "outbox_message" ("id" uuid not null, "topic" varchar(24) not null, "body_box" bytea not null, "attempts" int not null default 0, "created_at" timestamptz not null, "available_at" timestamptz not null, "delivered_at" timestamptz null, "failed_at" timestamptz null, "last_error" varchar(500) null, primary key ("id"));`,
    )
    this.addSql(
      `create index "outbox_message_available_at_index" on "outbox_message" ("available_at");`,
    )

    this.addSql(
      `create table "pending_sign_up" ("id" uuid not null, "email" varchar(254) not null, "name" varchar(100) not null, "locale" varchar(35) null, "password_hash" text not null, "created_at" timestamptz not null, "expires_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(`create index "pending_sign_up_email_index" on "pending_sign_up" ("email");`)
    this.addSql(
      `create index "pending_sign_up_expires_at_index" on "pending_sign_up" ("expires_at");`,
    )

    this.addSql(
      `create table "recovery_code" ("id" uuid not null, "account_id" uuid not null, "digest" bytea not null, "position" int not null, "used_at" timestamptz null, "created_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(`create index "recovery_code_account_id_index" on "recovery_code" ("account_id");`)

    this.addSql(
      `create table "resource" ("identifier" varchar(512) not null, "name" varchar(100) not null, "scopes" text[] not null, "access_token_seconds" int not null default 600, "signing_alg" varchar(8) not null default 'ES256', "created_at" timestamptz not null, primary key ("identifier"));`,
    )

    this.addSql(
      `create table "session" ("id" varchar(64) not null, "account_id" uuid not null, "ip" varchar(45) null, "user_agent" varchar(512) null, "door" varchar(8) not null, "amr" text[] not null, "acr" varchar(64) null, "is_remembered" boolean not null default false, "authenticated_at" timestamptz not null, "created_at" timestamptz not null, "last_seen_at" timestamptz not null, "expires_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(`create index "session_account_id_index" on "session" ("account_id");`)
    this.addSql(`create index "session_expires_at_index" on "session" ("expires_at");`)

    this.addSql(
      `create table "signing_key" ("kid" varchar(64) not null, "alg" varchar(8) not null, "public_jwk" jsonb not null, "private_box" bytea not null, "created_at" timestamptz not null, "active_at" timestamptz not null, "retired_at" timestamptz null, "expires_at" timestamptz null, primary key ("kid"));`,
    )

    this.addSql(
      `create table "totp_credential" ("id" uuid not null, "account_id" uuid not null, "secret_box" bytea not null, "last_step" bigint not null default '0', "confirmed_at" timestamptz null, "created_at" timestamptz not null, "expires_at" timestamptz null, primary key ("id"));`,
    )
    this.addSql(
      `create index "totp_credential_account_id_index" on "totp_credential" ("account_id");`,
    )
    this.addSql(
      `create unique index "totp_credential_confirmed" on "totp_credential" ("account_id") where "confirmed_at" is not null;`,
    )

    this.addSql(
      `create table "verification_token" ("id" uuid not null, "purpose" varchar(32) not null, "subject_id" uuid not null, "address" varchar(254) not null, "code_digest" bytea null, "link_digest" bytea null, "attempts" int not null default 0, "credential_version" int not null default 0, "created_at" timestamptz not null, "expires_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(
      `create index "verification_token_subject_id_index" on "verification_token" ("subject_id");`,
    )
    this.addSql(
      `alter table "verification_token" add constraint "verification_token_link_digest_unique" unique ("link_digest");`,
    )
    this.addSql(
      `create index "verification_token_expires_at_index" on "verification_token" ("expires_at");`,
    )

    this.addSql(
      `alter table "consent" add constraint "consent_account_id_foreign" foreign key ("account_id") references "account" ("id") on update cascade on delete cascade;`,
    )
    this.addSql(
      `alter table "consent" add constraint "consent_client_id_foreign" foreign key ("client_id") references "client" ("id") on update cascade on delete cascade;`,
    )

    this.addSql(
      `alter table "known_device" add constraint "known_device_account_id_foreign" foreign key ("account_id") references "account" ("id") on delete cascade;`,
    )

    this.addSql(
      `alter table "mfa_challenge" add constraint "mfa_challenge_account_id_foreign" foreign key ("account_id") references "account" ("id") on delete cascade;`,
    )

    this.addSql(
      `alter table "recovery_code" add constraint "recovery_code_account_id_foreign" foreign key ("account_id") references "account" ("id") on delete cascade;`,
    )

    this.addSql(
      `alter table "session" add constraint "session_account_id_foreign" foreign key ("account_id") references "account" ("id") on delete cascade;`,
    )

    this.addSql(
      `alter table "totp_credential" add constraint "totp_credential_account_id_foreign" foreign key ("account_id") references "account" ("id") on delete cascade;`,
    )
  }
}
