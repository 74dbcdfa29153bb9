import { raw } from '@mikro-orm/core'

/**
 * Moments by the database's clock, for statements of the ORM: what instances write must agree with
 * what all of them compare it with. Not for the properties of an entity, which would keep the words
 * instead of the moment.
 */
export function databaseNow(): Date {
  return raw<Date>('now()')
}

export function inSeconds(seconds: number): Date {
  return raw<Date>(`now() + ? * interval '1 second'`, [seconds])
}

/** By the server's clock, for what the database says how long it is ago. */
export function secondsAgo(seconds: number): Date {
  return new Date(Date.now() - seconds * 1000)
}
