import { Migration } from '@mikro-orm/migrations'

/** Invitations, and under which one somebody signs up. */
export class Migration20261130160000_invitation extends Migration {
  override up(): void {
    this.addSql(
      `create table "invitation" ("id" uuid not null, "digest" bytea not null, "email" varchar(254) null, "is_mailed" boolean not null default false, "locale" varchar(35) null, "client_id" varchar(100) null, "max_uses" int not null default 1, "uses" int not null default 0, "revoked_at" timestamptz null, "created_at" timestamptz not null, "expires_at" timestamptz not null, primary key ("id"));`,
    )
    this.addSql(
      `alter table "invitation" add constraint "invitation_digest_unique" unique ("digest");`,
    )
    this.addSql(`create index "invitation_expires_at_index" on "invitation" ("expires_at");`)
    this.addSql(`alter table "pending_sign_up" add column "invitation_id" uuid null;`)
  }
}
