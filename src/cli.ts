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

const called = process.argv.slice(2)
/** Commands that need the use cases are loaded only when one of them may be meant: `start` stays fast. */
const QUICK = new Set(['start', 'migrate', 'reset', '--version', '-V'])
if (!QUICK.has(called[0] ?? '')) {
  const { openContext, openDatabaseContext } = await import('./commands/open-context.ts')
  const { accountCommand } = await import('./commands/account.ts')
  const { attributeCommand } = await import('./commands/attribute.ts')
  const { auditCommand } = await import('./commands/audit.ts')
  const { clientCommand } = await import('./commands/client.ts')
  const { doctorCommand } = await import('./commands/doctor.ts')
  const { groupCommand } = await import('./commands/group.ts')
  const { inviteCommand } = await import('./commands/invite.ts')
  const { keysCommand } = await import('./commands/keys.ts')
  const { mailCommand } = await import('./commands/mail.ts')
  const { providerCommand } = await import('./commands/provider.ts')
  const { resourceCommand } = await import('./commands/resource.ts')
  const { restoreCommand } = await import('./commands/restore.ts')
  const { storageCommand } = await import('./commands/storage.ts')
  program
    .addCommand(accountCommand(openContext))
    .addCommand(storageCommand(openContext))
    .addCommand(restoreCommand(openContext))
    .addCommand(doctorCommand(openDatabaseContext))
    .addCommand(groupCommand(openDatabaseContext))
    .addCommand(inviteCommand(openDatabaseContext))
    .addCommand(attributeCommand(openDatabaseContext))
    .addCommand(clientCommand(openDatabaseContext))
    .addCommand(resourceCommand(openDatabaseContext))
    .addCommand(providerCommand(openDatabaseContext))
    .addCommand(keysCommand(openDatabaseContext))
    .addCommand(mailCommand(openDatabaseContext))
    .addCommand(auditCommand(openDatabaseContext))
}
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
