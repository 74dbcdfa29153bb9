import { randomUUID } from 'node:crypto'
import { CHANNEL } from '../../src/feed/changes.ts'
import type { TestServer } from './server.ts'

/** Resolves when all of them have heard of every change that was committed before: no time is guessed. */
export async function heard(...servers: readonly Pick<TestServer, 'context'>[]): Promise<void> {
  await Promise.all(servers.map(hasHeard))
}

async function hasHeard({ context }: Pick<TestServer, 'context'>): Promise<void> {
  const { announcements, database } = context
  const id = randomUUID()
  const told = new Promise<void>((resolve) => {
    announcements.follow('client', {
      changed: (seen) => {
        if (seen === id) resolve()
      },
      missed: resolve,
    })
  })
  const marker = JSON.stringify({ kind: 'client', id })
  await database.pool.query('select pg_notify($1, $2)', [CHANNEL, marker])
  await told
}
