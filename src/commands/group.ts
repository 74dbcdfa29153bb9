import { Command } from 'commander'
import type { AccountAdministration } from '../accounts/account-administration.ts'
import type { GroupInput, Groups } from '../accounts/groups/groups.ts'
import type { Memberships } from '../accounts/groups/memberships.ts'
import { answering } from './answer.ts'
import { explained } from './refusal.ts'

export interface GroupCommandDeps extends AsyncDisposable {
  readonly administration: AccountAdministration
  readonly groups: Groups
  readonly memberships: Memberships
}
type Work<T> = (deps: GroupCommandDeps) => Promise<T>

const OPTIONS = {
  name: 'name',
  displayName: '--display-name',
  description: '--description',
  accounts: 'email-or-id',
}
const ABSENT = 'There is no group of that name. "group list" has them all.'

/** `gatehouse group …`: a group by its name, in any mixture of cases; an account by address or id. */
export function groupCommand(open: () => Promise<GroupCommandDeps>): Command {
  const command = new Command('group').description('groups of people, for apps that ask for them')

  async function run<T>(work: Work<T>): Promise<T> {
    await using deps = await open()
    return await explained(() => work(deps), OPTIONS, ABSENT)
  }

  command
    .command('create <name>')
    .description('make a group; apps see its name')
    .option('--display-name <text>', 'what people call it')
    .option('--description <text>', 'what it is for')
    .action(
      answering((name: string, options: Omit<GroupInput, 'name'>) =>
        run(async ({ groups }) => {
          const { displayName, description } = options
          const group = await groups.create({ name, displayName, description })
          return {
            lines: [`${group.name} is there, with nobody in it.`],
            json: { ...facts(group), members: 0 },
          }
        }),
      ),
    )

  command
    .command('list')
    .description('all groups, one a line: name, members, display name, description')
    .action(
      answering(() =>
        run(async ({ groups }) => {
          const all = await groups.list()
          return {
            lines: all.map(({ name, members, displayName, description }) =>
              [name, members, displayName ?? '', description ?? ''].join('\t'),
            ),
            json: all.map((group) => ({ ...facts(group), members: group.members })),
          }
        }),
      ),
    )

  command
    .command('show <name>')
    .description('who is in a group, one a line: address, name, since when')
    .action(
      answering((name: string) =>
        run(async ({ groups, memberships }) => {
          const group = await groups.find(name)
          const members = await memberships.membersOf(group.id)
          return {
            lines: members.map(({ email, name: person, since }) =>
              [email, person, since.toISOString()].join('\t'),
            ),
            json: { ...facts(group), members },
          }
        }),
      ),
    )

  command
    .command('add <name> <email-or-id>')
    .description('put somebody into a group')
    .action(moving('add', 'is in', 'is in already:'))

  command
    .command('remove <name> <email-or-id>')
    .description('take somebody out of a group; apps see it with their next question')
    .action(moving('remove', 'is not in', 'was not in'))

  command
    .command('delete <name>')
    .description('take away a group that no client names')
    .action(
      answering((name: string) =>
        run(async ({ groups }) => {
          const group = await groups.delete(name)
          return {
            lines: [`${group.name} is deleted; nobody is in it any more.`],
            json: { id: group.id, name: group.name, state: 'deleted' },
          }
        }),
      ),
    )

  function moving(how: 'add' | 'remove', done: string, same: string) {
    return answering((name: string, person: string) =>
      run(async ({ administration, groups, memberships }) => {
        const group = await groups.find(name)
        const account = await explained(
          () => administration.find(person),
          {},
          'There is no account of that id or address.',
        )
        const isChanged = await memberships[how](group.id, account.id)
        return {
          lines: [
            `${account.email} ${isChanged ? done : same} ${group.name}${isChanged ? ' now' : ''}.`,
          ],
          json: {
            group: group.name,
            account: account.id,
            email: account.email,
            changed: isChanged,
          },
        }
      }),
    )
  }
  return command
}

function facts({
  id,
  name,
  displayName,
  description,
  createdAt,
}: Pick<Awaited<ReturnType<Groups['list']>>[number], 'id' | 'name' | 'createdAt'> & {
  readonly displayName?: string | null | undefined
  readonly description?: string | null | undefined
}) {
  return {
    id,
    name,
    display_name: displayName ?? null,
    description: description ?? null,
    created_at: createdAt,
  }
}
