import { Command, CommanderError } from 'commander'
import { addJsonOption, answering } from './commands/answer.ts'
import { wordsToRun } from './commands/words-to-run.ts'
import { clearEnvironment, readEnv } from './config/env.ts'
import { productVersion } from './config/version.ts'
import { AppError, StartupError } from './errors.ts'

clearEnvironment()

const program = new Command('gatehouse')
  .description('Self-hosted OAuth 2.0 / OpenID Connect authorization server')
  .version(productVersion())
  .exitOverride()

program
  .command('start')
  .description('start the server')
  .action(async () => {
    const { start } = await import('./main.ts')
    await start()
  })

program
  .command('migrate')
  .description('bring the database schema up to date')
  .action(
    answering(async () => {
      const { migrateCommand } = await import('./commands/migrate.ts')
      return migrateCommand(readEnv())
    }),
  )

program
  .command('reset')
  .description('delete the development data: embedded database, secrets and accounts')
  .action(
    answering(async () => {
      const { resetCommand } = await import('./commands/reset.ts')
      return resetCommand(readEnv())
    }),
  )

const openCore = async () => (await import('./commands/open-core.ts')).openCore()
const openDatabaseCore = async () => (await import('./commands/open-core.ts')).openDatabaseCore()

/** Groups of commands, in the order of the help. Only what may be meant is loaded. */
const GROUPS = new Map<string, () => Promise<Command>>([
  ['account', async () => (await import('./commands/account.ts')).accountCommand(openCore)],
  ['storage', async () => (await import('./commands/storage.ts')).storageCommand(openCore)],
  ['restore', async () => (await import('./commands/restore.ts')).restoreCommand(openCore)],
  ['doctor', async () => (await import('./commands/doctor.ts')).doctorCommand(openDatabaseCore)],
  ['group', async () => (await import('./commands/group.ts')).groupCommand(openDatabaseCore)],
  ['invite', async () => (await import('./commands/invite.ts')).inviteCommand(openDatabaseCore)],
  [
    'attribute',
    async () => (await import('./commands/attribute.ts')).attributeCommand(openDatabaseCore),
  ],
  ['client', async () => (await import('./commands/client.ts')).clientCommand(openDatabaseCore)],
  [
    'resource',
    async () => (await import('./commands/resource.ts')).resourceCommand(openDatabaseCore),
  ],
  [
    'provider',
    async () => (await import('./commands/provider.ts')).providerCommand(openDatabaseCore),
  ],
  ['keys', async () => (await import('./commands/keys.ts')).keysCommand(openDatabaseCore)],
  ['mail', async () => (await import('./commands/mail.ts')).mailCommand(openDatabaseCore)],
  ['audit', async () => (await import('./commands/audit.ts')).auditCommand(openDatabaseCore)],
])
const QUICK = ['start', 'migrate', 'reset', '--version', '-V']

const called = process.argv.slice(2)
const [word = ''] = called
const meant = GROUPS.get(word)
if (meant) program.addCommand(await meant())
else if (!QUICK.includes(word)) for (const load of GROUPS.values()) program.addCommand(await load())
for (const command of program.commands) if (command.name() !== 'start') addJsonOption(command)
process.stdout.on('error', lostReader)
process.stderr.on('error', () => undefined)

try {
  if (called.length === 0) program.outputHelp()
  else await program.parseAsync(wordsToRun(program, called), { from: 'user' })
} catch (error) {
  process.exitCode = report(error)
}

/** Who read the answer is gone (`| head -1`): what was to be done is done. A disk that is full is a fault. */
function lostReader({ code, message }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') return
  process.exitCode = 1
  process.stderr.write(`The answer cannot be written: ${message}\n`)
}

/** One clear sentence and exit code 1; only a fault of ours shows its stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode
  if (error instanceof StartupError || error instanceof AppError)
    process.stderr.write(`${error.message}\n`)
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  return 1
}
