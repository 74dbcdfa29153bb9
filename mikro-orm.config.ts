import { parseDatabaseUrl } from './src/config/database-url.ts'
import { ormOptions } from './src/database/orm.ts'

/** For the MikroORM CLI: `DATABASE_URL=... npx mikro-orm migration:create`. */
export default ormOptions(
  parseDatabaseUrl(process.env['DATABASE_URL'] ?? 'postgresql://gatehouse@localhost/gatehouse'),
  2,
)
