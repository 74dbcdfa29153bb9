import { Migration } from '@mikro-orm/migrations'

/** What kind of app it was registered as, which was not kept: by what was derived from it. */
const TYPE = `case
  when "metadata"->'response_types' = '[]' then 'service'
  when "metadata"->>'application_type' = 'native' then 'native'
  when "metadata"->>'token_endpoint_auth_method' = 'none' then 'spa'
  else 'web' end`
const list = (member: string, otherwise = '[]'): string =>
  `coalesce("metadata"->'${member}', '${otherwise}')`
const text = (member: string, otherwise: string): string =>
  `coalesce("metadata"->>'${member}', '${otherwise}')`
/** The scope of the account API goes with its switch. */
const OF_API = `exists (select from "resource" r where "metadata"->'allowed_resources' ? r."identifier" and 'account' = any (r."scopes"))`
const OPTIONAL = {
  jwks: 'jwks',
  jwksUri: 'jwks_uri',
  clientUri: 'client_uri',
  logoUri: 'logo_uri',
  policyUri: 'policy_uri',
  tosUri: 'tos_uri',
  backchannelLogoutUri: 'backchannel_logout_uri',
}
const REGISTRATION = `jsonb_build_object(
  'type', ${TYPE},
  'redirectUris', ${list('redirect_uris')},
  'postLogoutRedirectUris', ${list('post_logout_redirect_uris')},
  'grantTypes', ${list('grant_types', '["authorization_code", "refresh_token"]')},
  'responseModes', ${list('response_modes', '["query", "form_post"]')},
  'authMethod', ${text('token_endpoint_auth_method', 'client_secret_basic')},
  'idTokenAlg', ${text('id_token_signed_response_alg', 'ES256')},
  'scopes', to_jsonb(array(select "scope" from regexp_split_to_table(${text('scope', '')}, ' ') as "scope"
    where "scope" <> '' and ("scope" <> 'account' or ${OF_API}))),
  'resources', ${list('allowed_resources')},
  'refreshRotation', ${text('refresh_rotation', 'always')}
) || jsonb_strip_nulls(jsonb_build_object(${Object.entries(OPTIONAL)
  .map(([field, member]) => `'${field}', "metadata"->'${member}'`)
  .join(', ')}))`

/**
 * Clients are kept as they were meant. `id` of `client`, and the columns that hold it in `consent`
 * and `oidc_artifact`, are widened by the release after this one: the previous version reads them
 * by prepared statements, which a column of another type would break (decision 0051).
 */
export class Migration20261130082000_client_registration extends Migration {
  override name = 'Migration20261130082000_client_registration'

  override up(): void | Promise<void> {
    this.addSql(
      `alter table "client" add column "registration" jsonb null, add column "managed_by" varchar(8) not null default 'operator', add column "version" int not null default 1;`,
    )
    this.addSql(`update "client" set "registration" = ${REGISTRATION};`)
    this.addSql(`update "client" set "managed_by" = 'system' where "id" = 'demo';`)
    this.addSql(
      `alter table "resource" add column "managed_by" varchar(8) not null default 'operator', add column "version" int not null default 1;`,
    )
    for (const table of ['session_proof', 'audit_event'])
      this.addSql(`alter table "${table}" alter column "client_id" type varchar(512);`)
  }
}
