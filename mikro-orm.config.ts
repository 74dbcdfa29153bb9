import { ormOptions } from './src/database.ts'

/** For the MikroORM CLI: `DATABASE_URL=... npx mikro-orm migration:create`. */
export default ormOptions({ url: process.env['DATABASE_URL'] ?? 'postgresql://localhost/gatehouse', pool: 2 })
