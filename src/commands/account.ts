import { Command } from 'commander'
import type { AccountAdministration } from '../accounts/account-administration.ts'
import type { Sessions } from '../accounts/sessions.ts'
import { explained } from './refusal.ts'

export interface AccountCommandDeps extends AsyncDisposable {
  readonly administration: AccountAdministration
  readonly sessions: Sessions
}

/** `gatehouse account …`: an account is named by its id or its address. */
export function accountCommand(open: () => Promise<AccountCommandDeps>): Command {
  const command = new Command('account').description('look after the accounts of people')

  async function run(work: (deps: AccountCommandDeps) => Promise<unknown>): Promise<void> {
    await using deps = await open()
    await explained(() => work(deps), {}, 'There is no account of that id or address.')
  }

  command
    .command('show <email-or-id>')
    .description('what an operator needs to know of it, one fact a line')
    .action((name: string) =>
      run(async ({ administration, sessions }) => {
        const account = await administration.find(name)
        const facts = {
          id: account.id,
          email: account.email,
          name: account.name,
          status: account.status,
          ...(account.deleteAfter ? { 'erased after': account.deleteAfter.toISOString() } : {}),
          'two-step sign-in': account.mfaEnabled ? 'on' : 'off',
          'must reset password': account.mustResetPassword ? 'yes' : 'no',
          sessions: (await sessions.list(account.id)).length,
          created: account.createdAt.toISOString(),
        }
        for (const [fact, value] of Object.entries(facts)) process.stdout.write(`${fact}\t${value}\n`)
      }),
    )

  command
    .command('disable <email-or-id>')
    .description('shut a person out: every sign-in and token ends, and no new one begins')
    .action((name: string) => run(({ administration }) => administration.disable(name)))

  command
    .command('enable <email-or-id>')
    .description('let a disabled account in again')
    .action((name: string) => run(({ administration }) => administration.enable(name)))

  command
    .command('keep <email-or-id>')
    .description('bring back an account that is about to be deleted, for a person whose mails got lost')
    .action((name: string) => run(({ administration }) => administration.keep(name)))

  command
    .command('sign-out <email-or-id>')
    .description('end every sign-in with its tokens')
    .action((name: string) => run(({ administration }) => administration.signOut(name)))

  command
    .command('remove-mfa <email-or-id>')
    .description('turn two-step sign-in off for a person who has lost it; ends every sign-in and tells the owner by mail')
    .action((name: string) => run(({ administration }) => administration.removeMfa(name)))
  return command
}
