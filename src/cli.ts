import { Command, CommanderError } from 'commander'
import { readEnv } from './config/env.ts'
import { productVersion } from './config/version.ts'
import { AppError, StartupError } from './errors.ts'

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
  .action(async () => {
    const { migrateCommand } = await import('./commands/migrate.ts')
    await migrateCommand(readEnv())
  })

program
  .command('reset')
  .description('delete the development data: embedded database, secrets and accounts')
  .action(async () => {
    const { resetData } = await import('./embedded/reset.ts')
    await resetData(readEnv().DATA_DIR)
  })

/** Not commander's default command: that one would take a misspelt name for its argument. */
const [called = 'start', ...rest] = process.argv.slice(2)
/** Commands that need the use cases are loaded only when one of them may be meant: `start` stays fast. */
const QUICK = new Set(['start', 'migrate', 'reset', '--version', '-V'])
if (!QUICK.has(called)) {
  const { openContext, openDatabaseContext } = await import('./commands/open-context.ts')
  const { accountCommand } = await import('./commands/account.ts')
  const { auditCommand } = await import('./commands/audit.ts')
  const { clientCommand } = await import('./commands/client.ts')
  const { keysCommand } = await import('./commands/keys.ts')
  const { mailCommand } = await import('./commands/mail.ts')
  const { resourceCommand } = await import('./commands/resource.ts')
  const { storageCommand } = await import('./commands/storage.ts')
  program
    .addCommand(accountCommand(openContext))
    .addCommand(storageCommand(openContext))
    .addCommand(clientCommand(openDatabaseContext))
    .addCommand(resourceCommand(openDatabaseContext))
    .addCommand(keysCommand(openDatabaseContext))
    .addCommand(mailCommand(openDatabaseContext))
    .addCommand(auditCommand(openDatabaseContext))
}

try {
  await program.parseAsync([called, ...rest], { from: 'user' })
} catch (error) {
  process.exitCode = report(error)
}

/** One clear sentence and exit code 1; only a fault of ours shows its stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode
  if (error instanceof StartupError || error instanceof AppError) process.stderr.write(`${error.message}\n`)
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  return 1
}
