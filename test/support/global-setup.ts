import { chmodSync, mkdtempSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SecretBox } from '../../src/crypto/secret-box.ts'
import { openDatabase } from '../../src/database/database.ts'
import { SigningKeys } from '../../src/oidc/keys/signing-keys.ts'
import { silentAudit } from './audit.ts'
import { asAdmin, startPostgres } from './postgres.ts'
import { ADMIN_URL, RUN_DIR, TEMPLATE } from './run.ts'
import { TEST_SECRETS } from './secrets.ts'

const PREFIX = 'gatehouse_test_'

export const run: { stop?: () => Promise<void> } = {}

/** Starts PostgreSQL once and migrates the template that `createDatabase()` copies. */
export default async function setup(): Promise<void> {
  const runDir = mkdtempSync(join(tmpdir(), 'gatehouse-test-'))
  chmodSync(runDir, 0o755)
  process.env[RUN_DIR] = runDir
  try {
    await prepare(runDir)
  } catch (error) {
    rmSync(runDir, { recursive: true, force: true })
    // No reporter exists yet, and the last line is promised.
    process.once('exit', () => writeSync(1, '0 passed, 1 failed\n'))
    throw error
  }
}

async function prepare(runDir: string): Promise<void> {
  await using undo = new AsyncDisposableStack()
  const server = undo.use(await startPostgres(runDir))
  const template = `${PREFIX}${process.pid}`
  process.env[ADMIN_URL] = server.url
  process.env[TEMPLATE] = template
  await dropLeftovers(server.url)
  await asAdmin(server.url, (client) => client.query(`create database ${template}`))

  const url = new URL(server.url)
  url.pathname = `/${template}`
  const database = await openDatabase({ url: url.href, pool: 2 })
  await database.migrate()
  // Made once here: every server of the run would spend half a second on RSA keys.
  const box = new SecretBox(TEST_SECRETS.keyEncryptionKeys)
  await new SigningKeys({
    em: database.em,
    box,
    audit: silentAudit,
    timing: { rotationDays: 90, publishSeconds: 600, retireSeconds: 7200, pollSeconds: 10 },
  }).ensure()
  await database[Symbol.asyncDispose]()

  const owned = undo.move()
  run.stop = async () => {
    await dropLeftovers(server.url, process.pid)
    await owned.disposeAsync()
    rmSync(runDir, { recursive: true, force: true })
  }
}

/** Drops the databases of runs that are over: their process is gone, or it is the given one. */
async function dropLeftovers(url: string, finished?: number): Promise<void> {
  await asAdmin(url, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'select datname from pg_database where datname like $1',
      [`${PREFIX}%`],
    )
    for (const { datname } of rows) {
      const pid = Number(datname.slice(PREFIX.length).split('_')[0])
      if (pid === finished || !isAlive(pid))
        await client.query(`drop database if exists ${datname} with (force)`)
    }
  })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
