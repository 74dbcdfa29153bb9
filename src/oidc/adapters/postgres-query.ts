import type { QueryResult, QueryResultRow } from 'pg'
import { isUnavailable, type Pool } from '../../database/database.ts'
import { StoreUnavailable } from './unavailable.ts'

/** Runs one prepared statement. A database that cannot be used is `StoreUnavailable`. */
export type Query = <Row extends QueryResultRow>(
  statement: { name: string; text: string },
  values: unknown[],
) => Promise<QueryResult<Row>>

export function createQuery(pool: Pool): Query {
  return async (statement, values) => {
    try {
      return await pool.query({ name: statement.name, text: statement.text, values })
    } catch (error) {
      throw isUnavailable(error) ? new StoreUnavailable(error) : error
    }
  }
}
