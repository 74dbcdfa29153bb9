import type { Sent } from './connection.ts'

/**
 * What one request cannot do without: signatures, reads and writes where the artifacts are, and
 * reads of the account in PostgreSQL.
 */
export interface Least {
  readonly signatures?: number
  readonly reads?: number
  readonly writes?: number
  readonly accounts?: number
}

export type Ceiling = 'hello' | readonly Least[]

/** The same amount of work for the Koa target, request by request. */
export function requestsOf(ceiling: Ceiling): Sent[] {
  if (ceiling === 'hello') return [{ path: '/hello' }]
  return ceiling.map((least) => ({
    method: 'POST',
    path: `/work?${Object.entries(least)
      .map(([name, count]) => `${name}=${count}`)
      .join('&')}`,
    headers: { authorization: `Basic ${Buffer.from('x:secret').toString('base64')}` },
    form: { grant_type: 'x', resource: 'https://api.example/' },
  }))
}
