import type { AuditSink } from '../audit/event.ts'
import { type Database, patiently } from '../database/database.ts'
import { DISTRUST } from '../entities/known-device.ts'

/**
 * What was issued before a restore has ended: what was revoked or used after the backup would be
 * good again. Facts about what was used stay: used codes and refresh tokens (`$used`) and client
 * assertions, and all of the failures that were counted.
 */
const ENDED: readonly (readonly [what: string, statement: string])[] = [
  [
    'grants, codes and tokens',
    `delete from oidc_artifact where model <> 'ReplayDetection' and not payload ? '$used'`,
  ],
  ['sessions', 'delete from session'],
  ['mailed codes and links', 'delete from verification_token'],
  ['sign-ins between two factors', 'delete from mfa_challenge'],
  ['people away at providers', 'delete from upstream_flow'],
  ['arrivals from providers', 'delete from upstream_arrival'],
  ['sign-ups that were not confirmed', 'delete from pending_sign_up'],
  ['invitations', 'delete from invitation'],
  [
    'devices that skip the second step',
    `update known_device set ${DISTRUST} where trusted_until is not null`,
  ],
  ['consents', 'delete from consent'],
  [
    'mails that waited',
    `delete from outbox_message where topic in ('mail', 'decoy') and delivered_at is null and failed_at is null`,
  ],
]

/**
 * A code that an authenticator shows now or has shown counts as used: which of them were, the
 * backup does not know.
 */
const SPEND_TOTP_STEPS =
  'update totp_credential set last_step = greatest(last_step, floor(extract(epoch from now()) / 30)::bigint + 1)'
const VOID_RECOVERY_CODES = 'update recovery_code set used_at = now() where used_at is null'
const NEW_EPOCH = 'update server_state set epoch = gen_random_uuid(), restored_at = now(), note = ?'

export interface RestoreOptions {
  /** For those who must be sure that no recovery code that was used after the backup is good again. */
  readonly voidRecoveryCodes: boolean
}

/** Ends what a restored backup brought back, all of it or nothing. Returns how much, by what it was. */
export async function finishRestore(
  { database, audit }: { readonly database: Database; readonly audit: AuditSink },
  { voidRecoveryCodes }: RestoreOptions,
): Promise<Readonly<Record<string, number>>> {
  const ended: Record<string, number> = {}
  await patiently(database, () =>
    database.em.fork().transactional(async (tx) => {
      const run = async (statement: string, values: unknown[] = []) =>
        (
          await tx
            .getConnection()
            .execute<{ affectedRows: number }>(statement, values, 'run', tx.getTransactionContext())
        ).affectedRows
      await run('set local statement_timeout = 0')
      for (const [what, statement] of ENDED) ended[what] = await run(statement)
      await run(SPEND_TOTP_STEPS)
      if (voidRecoveryCodes) ended['recovery codes'] = await run(VOID_RECOVERY_CODES)
      await run(NEW_EPOCH, ['restore finish'])
      await audit.append(tx, { type: 'restored', detail: { voidRecoveryCodes } })
    }),
  )
  return ended
}
