/**
 * Every advisory lock of PostgreSQL that we take by a number of its own (`pg_advisory_lock`), by what
 * one process at a time does. Any 64-bit numbers will do that differ, as long as every release uses
 * the same.
 */
export const ADVISORY_LOCKS = {
  migration: '6842173905114',
  /** Shared by all who use the embedded server. */
  embeddedOwners: '6842173905115',
  retention: '6842173905116',
  auditTrail: '6842173905117',
  shortLived: '6842173905118',
} as const
