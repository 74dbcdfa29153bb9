import { Command } from 'commander'
import type { AccountAdministration } from '../accounts/account-administration.ts'
import type { AccountList } from '../accounts/account-list.ts'
import type { Deletion } from '../accounts/deletion.ts'
import type { AccountExport } from '../accounts/export.ts'
import { takesTwoFactors } from '../accounts/factors/levels.ts'
import type { Passkeys } from '../accounts/factors/passkeys/passkeys.ts'
import type { SignInPolicy } from '../accounts/factors/sign-in-policy.ts'
import type { Identities } from '../accounts/identities/identities.ts'
import type { Lockouts } from '../accounts/lockouts.ts'
import type { PasswordReset } from '../accounts/passwords/password-reset.ts'
import type { Profile } from '../accounts/profile.ts'
import type { RecoveryHolds } from '../accounts/recovery/holds.ts'
import type { AccountCreation } from '../accounts/registration/account-creation.ts'
import type { Sessions } from '../accounts/sessions/sessions.ts'
import type { Usernames } from '../accounts/usernames.ts'
import type { Config } from '../config/config.ts'
import { createCommand } from './account-create.ts'
import { deleteCommand } from './account-delete.ts'
import { exportCommand } from './account-export.ts'
import { listCommand, searchCommand } from './account-list.ts'
import { recoverCommand } from './account-recover.ts'
import { resetCommand } from './account-reset.ts'
import { setCommand } from './account-set.ts'
import { showCommand } from './account-show.ts'
import { usernameCommand } from './account-username.ts'
import { answering } from './answer.ts'
import { explained } from './refusal.ts'

export interface AccountCommandDeps extends AsyncDisposable {
  readonly accountCreation: AccountCreation
  readonly accountExport: AccountExport
  readonly accountList: AccountList
  readonly administration: AccountAdministration
  readonly deletion: Deletion
  readonly identities: Identities
  readonly lockouts: Lockouts
  readonly passkeys: Passkeys
  readonly passwordReset: PasswordReset
  readonly recoveryHolds: RecoveryHolds
  readonly config: Config
  readonly profile: Profile
  readonly sessions: Sessions
  readonly signInPolicy: SignInPolicy
  readonly usernames: Usernames
}

const ABSENT = 'There is no account of that id or address.'
const NO_PAGE = 'There is no account of that id any more: begin again without --after.'
const DELETING =
  'This account is about to be deleted: nobody can sign in to it. To bring it back: account keep.'
const CLOSED = 'Nobody can sign in to this account: enable or keep it first.'
const NOT_OPEN =
  'This account is disabled, or about to be deleted already. With --now it is erased at once.'
const NOT_DELETING = 'This account is not about to be deleted.'

/** `gatehouse account …`: an account is named by its id or its address. */
export function accountCommand(open: () => Promise<AccountCommandDeps>): Command {
  const command = new Command('account').description('look after the accounts of people')

  async function run<T>(
    work: (deps: AccountCommandDeps) => Promise<T>,
    conflict?: string,
    absent = ABSENT,
  ): Promise<T> {
    await using deps = await open()
    return await explained(
      () => work(deps),
      { username: 'name', image_url: 'picture' },
      absent,
      conflict,
    )
  }

  /** What is done to an account, what is then so, and what may be in the way. */
  const act = (
    work: (administration: AccountAdministration, id: string) => Promise<unknown>,
    done: string,
    conflict?: string,
  ) =>
    answering((name: string) =>
      run(async ({ administration }) => {
        const { id, email } = await administration.find(name)
        await work(administration, id)
        const account = await administration.find(id)
        const { status } = account
        return {
          lines: [`${email} ${done}.`],
          json: { id, email, status, mfa_enabled: takesTwoFactors(account) },
        }
      }, conflict),
    )

  const runPage = <T>(work: (deps: AccountCommandDeps) => Promise<T>) =>
    run(work, undefined, NO_PAGE)
  command.addCommand(createCommand(run))
  command.addCommand(listCommand(runPage)).addCommand(searchCommand(runPage))
  command.addCommand(showCommand(run)).addCommand(exportCommand(run))

  command
    .command('disable <email-or-id>')
    .description('shut a person out: every sign-in and token ends, and no new one begins')
    .action(
      act(
        (administration, id) => administration.disable(id),
        'is disabled; every sign-in has ended',
        DELETING,
      ),
    )

  command
    .command('enable <email-or-id>')
    .description('let a disabled account in again')
    .action(act((administration, id) => administration.enable(id), 'is enabled', DELETING))

  command
    .command('unlock <email-or-id>')
    .description('forget wrong passwords and codes, for a person who is locked out by them')
    .action(
      answering((name: string) =>
        run(async ({ administration, lockouts }) => {
          const { id, email } = await administration.find(name)
          const wasCounted = await lockouts.lift(id)
          const done = wasCounted ? 'is unlocked' : 'is not locked: no wrong tries are counted'
          return { lines: [`${email} ${done}.`], json: { id, email, changed: wasCounted } }
        }),
      ),
    )

  command
    .command('keep <email-or-id>')
    .description(
      'bring back an account that is about to be deleted, for a person whose mails got lost',
    )
    .action(
      act(
        (administration, id) => administration.keep(id),
        'is kept; it is not erased',
        NOT_DELETING,
      ),
    )

  command.addCommand(usernameCommand(run)).addCommand(setCommand(run))

  command.addCommand(recoverCommand((work) => run(work, CLOSED)))
  command.addCommand(resetCommand((work) => run(work, CLOSED)))
  command.addCommand(deleteCommand((work) => run(work, NOT_OPEN)))

  command
    .command('sign-out <email-or-id>')
    .description('end every sign-in with its tokens')
    .action(act((administration, id) => administration.signOut(id), 'is signed out everywhere'))

  command
    .command('remove-mfa <email-or-id>')
    .description(
      'turn two-step sign-in off for a person who has lost it; ends every sign-in and tells the owner by mail',
    )
    .action(
      act(
        (administration, id) => administration.removeMfa(id),
        'signs in without a second step now, and is told by mail; every sign-in has ended',
      ),
    )
  return command
}
