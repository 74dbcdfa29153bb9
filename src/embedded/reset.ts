import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { StartupError } from '../errors.ts'
import { findHome, type Home, pointerPath } from './home.ts'
import { claimAlone } from './ownership.ts'
import { findPostmaster, stop, urlOf } from './postmaster.ts'
import { startupFault } from './start-faults.ts'

/**
 * Names that the embedded server's files begin with, so that nothing else is deleted if DATA_DIR
 * was a mistake.
 */
const OURS = /^(cluster|lib|native-[^/]+|server\.log)(\.\d+\.\d+)?$/

/**
 * Clears what Gatehouse keeps in a data folder: the embedded database, whose server it stops, and
 * the development secrets. Throws `StartupError` if a Gatehouse still uses it.
 */
export async function resetData(dataDir: string): Promise<void> {
  try {
    const home = findHome(dataDir)
    if (home) {
      if (!(await stopUnused(home)))
        throw new StartupError(`Gatehouse is running on ${resolve(dataDir)}. Stop it first.`)
      for (const name of readdirSync(home.root))
        if (OURS.test(name)) rmSync(join(home.root, name), { recursive: true, force: true })
      removeIfEmpty(home.root)
    }
    for (const path of [pointerPath(dataDir), join(dataDir, 'secrets.json')])
      rmSync(path, { force: true })
    removeIfEmpty(resolve(dataDir))
  } catch (error) {
    throw startupFault(error, resolve(dataDir))
  }
}

/** False if another process uses the server. */
async function stopUnused(home: Home): Promise<boolean> {
  const server = findPostmaster(home)
  if (!server) return true
  // A server that does not answer serves nobody.
  const alone = await claimAlone(urlOf(server, passwordOf(home))).catch(() => 'unusable' as const)
  if (alone === undefined) return false
  const stopped = await stop(home, server)
  if (alone !== 'unusable') await alone.end().catch(() => undefined)
  return stopped
}

function passwordOf({ password }: Home): string {
  return existsSync(password) ? readFileSync(password, 'utf8').trim() : ''
}

function removeIfEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder)
}
