import { userInfo } from 'node:os'
import { Command } from 'commander'
import type { AccountAdministration } from '../accounts/account-administration.ts'
import type { RecoveryHolds } from '../accounts/recovery/holds.ts'
import { OPERATOR } from '../audit/event.ts'
import type { Config } from '../config/config.ts'
import { LINK_PATHS, link } from '../mail/links.ts'
import { answering } from './answer.ts'
import { wholeNumber } from './whole-number.ts'

export interface RecoverCommandDeps {
  readonly administration: Pick<AccountAdministration, 'find'>
  readonly recoveryHolds: Pick<RecoveryHolds, 'beginFor'>
  readonly config: Pick<Config, 'issuer'>
}

const MAX_HOURS = 72

/** `gatehouse account recover`. `run` opens the use cases for one command. */
export function recoverCommand(
  run: <T>(work: (deps: RecoverCommandDeps) => Promise<T>) => Promise<T>,
): Command {
  return new Command('recover')
    .argument('<email-or-id>')
    .option('--hold <hours>', 'let it wait, with mails that can stop it (0 to 72)', '0')
    .description(
      'print a link by which a person makes a new way to sign in; ends every sign-in. It is good for an hour, and once',
    )
    .action(
      answering((name: string, { hold }: { hold: string }) =>
        run(async ({ administration, recoveryHolds, config }) => {
          const hours = wholeNumber('--hold', hold, MAX_HOURS, 0)
          const { id, email } = await administration.find(name)
          const by = { actor: OPERATOR, user: userInfo().username }
          const begun = await recoveryHolds.beginFor(id, hours, by)
          const href = link(config.issuer, LINK_PATHS.recoverLink, { token: begun.linkSecret })
          const opens = begun.opensAt.toISOString()
          const closes = begun.closesAt.toISOString()
          return {
            lines: [href],
            notes: [
              `Every sign-in of ${email} has ended. The link is good once, from ${opens} to ${closes}. Give it to nobody but its owner.`,
            ],
            json: { id, email, link: href, opens_at: opens, expires_at: closes },
          }
        }),
      ),
    )
}
