import { Command } from 'commander'
import { canonicalEmail } from '../accounts/canonical-email.ts'
import { isLanguageTag } from '../accounts/profile-checks.ts'
import type { Invitations, MadeInvitation } from '../accounts/registration/invitations.ts'
import type { Clients } from '../clients/clients.ts'
import type { RegistrationMode } from '../config/registration-modes.ts'
import { StartupError } from '../errors.ts'
import { ACCOUNT_WORDS } from './account-words.ts'
import { answering, rowsAnswer } from './answer.ts'
import { expectNew, writeNew } from './new-file.ts'
import { explained } from './refusal.ts'
import { wholeNumber } from './whole-number.ts'

export interface InviteCommandDeps extends AsyncDisposable {
  readonly invitations: Invitations
  readonly clients: Pick<Clients, 'get'>
  readonly config: { readonly registration: { readonly mode: RegistrationMode } }
}

interface InviteOptions {
  readonly client?: string
  readonly expires: string
  readonly locale?: string
  readonly print?: boolean
  readonly count?: string
  readonly uses: string
  readonly out?: string
}

const ABSENT = 'There is no invitation of that id. "invite list" has them all.'
const OVER = 'That invitation is over already: it has expired or was taken back.'
const MAX = { days: 90, count: 10_000, uses: 100_000 }

/** `gatehouse invite …`: who may register where not everybody may. */
export function inviteCommand(open: () => Promise<InviteCommandDeps>): Command {
  const command = new Command('invite')
    .description('let somebody register; the link is mailed, printed, or written to a file')
    .argument('[email]', 'for nobody else; without it the link is for who has it')
    .option('--client <id>', 'the app that the person is led to')
    .option('--expires <time>', 'how long it is good, such as 12h or 7d', '7d')
    .option('--locale <tag>', 'language of the mail')
    .option('--print', 'print the link instead of mailing it; a code proves the address then')
    .option('--count <number>', 'make so many, for nobody in particular')
    .option('--uses <number>', 'how many accounts each is good for', '1')
    .option('--out <file>', 'write the links to a new file (CSV)')

  async function run<T>(work: (deps: InviteCommandDeps) => Promise<T>): Promise<T> {
    await using deps = await open()
    return await explained(() => work(deps), {}, ABSENT, OVER)
  }

  command.action(
    answering((typed: string | undefined, options: InviteOptions) =>
      run(async ({ invitations, clients, config }) => {
        if (config.registration.mode === 'closed')
          throw new StartupError('REGISTRATION is closed: an invitation would open nothing.')
        const email = typed === undefined ? undefined : canonicalEmail(typed)
        if (typed !== undefined && email === undefined)
          throw new StartupError(`${typed} is no e-mail address.`)
        const count = wholeNumber('--count', options.count ?? '1', MAX.count)
        const maxUses = wholeNumber('--uses', options.uses, MAX.uses)
        if (email !== undefined && (count > 1 || maxUses > 1))
          throw new StartupError('--count and --uses are for invitations without an address.')
        if (options.locale !== undefined && !isLanguageTag(options.locale))
          throw new StartupError(`--locale: ${ACCOUNT_WORDS['invalid_locale']}`)
        if (options.out !== undefined) expectNew(options.out)
        const client =
          options.client === undefined ? undefined : await find(clients, options.client)
        const isMailed = email !== undefined && !options.print && options.out === undefined
        const wanted = { email, isMailed, maxUses, client, locale: options.locale }
        const seconds = secondsOf(options.expires)
        const made: MadeInvitation[] = []
        for (let index = 0; index < count; index += 1)
          made.push(await invitations.create({ ...wanted, seconds }))
        return told(made, { isMailed, file: options.out })
      }),
    ),
  )

  command
    .command('list')
    .description('all invitations, one a line: id, for whom, state, uses, good until')
    .action(
      answering(() =>
        run(async ({ invitations }) =>
          rowsAnswer(
            (await invitations.list()).map((each) => ({
              id: each.id,
              email: each.email ?? null,
              state: stateOf(each),
              uses: `${each.uses}/${each.maxUses}`,
              expires_at: each.expiresAt.toISOString(),
              client: each.clientId ?? null,
            })),
          ),
        ),
      ),
    )

  command
    .command('revoke <id>')
    .description('take an invitation back')
    .action(
      answering((id: string) =>
        run(async ({ invitations }) => {
          await invitations.revoke(id)
          return { lines: [`${id} is taken back.`], json: { id, state: 'revoked' } }
        }),
      ),
    )
  return command
}

async function find(clients: Pick<Clients, 'get'>, id: string) {
  const absent = 'There is no client of that id. "client list" has them all.'
  const { client } = await explained(() => clients.get(id), {}, absent)
  return { id: client.id, name: client.name }
}

function told(
  made: readonly MadeInvitation[],
  { isMailed, file }: { isMailed: boolean; file: string | undefined },
) {
  const json = made.map(({ id, email, link, expiresAt }) => ({
    id,
    email,
    ...(file === undefined ? { link: link ?? null } : {}),
    expires_at: expiresAt,
  }))
  if (file !== undefined) {
    const rows = made.map((each) => [each.id, each.link, each.expiresAt.toISOString()].join())
    writeNew(file, ['id,link,expires_at', ...rows, ''].join('\n'))
    return { lines: [`${made.length} invitations are in ${file}.`], json }
  }
  const lines = made.map(({ id, email, link }) =>
    isMailed ? `${email} is invited by mail (${id}).` : (link ?? ''),
  )
  return { lines, json }
}

function stateOf(each: Awaited<ReturnType<Invitations['list']>>[number]): string {
  if (each.revokedAt) return 'revoked'
  if (each.uses >= each.maxUses) return 'used'
  return each.expiresAt.getTime() <= Date.now() ? 'expired' : 'open'
}

function secondsOf(typed: string): number {
  const [, amount = '', unit] = /^(\d{1,4})([hd])$/.exec(typed) ?? []
  const seconds = Number(amount) * (unit === 'h' ? 3600 : 86_400)
  if (!unit || seconds < 3600 || seconds > MAX.days * 86_400)
    throw new StartupError(`--expires: must be a time such as 12h or 7d, at most ${MAX.days}d`)
  return seconds
}
