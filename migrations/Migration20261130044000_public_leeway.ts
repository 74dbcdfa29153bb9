import { Migration } from '@mikro-orm/migrations'

/**
 * Within the leeway a refresh can be repeated by whoever has the token: of apps that do not
 * authenticate no longer than ten seconds.
 */
export class Migration20261130044000_public_leeway extends Migration {
  override up(): void {
    this.addSql(
      `update "client" set "refresh_leeway_seconds" = 10 where "refresh_leeway_seconds" > 10 and "metadata"->>'token_endpoint_auth_method' = 'none';`,
    )
  }
}
