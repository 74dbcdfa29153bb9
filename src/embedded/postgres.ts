import { setTimeout as sleep } from 'node:timers/promises'
import { StartupError } from '../errors.ts'
import { type Binaries, locateBinaries } from './binaries.ts'
import { ensureCluster } from './cluster.ts'
import { type Home, openHome } from './home.ts'
import { claimAlone, Ownership } from './ownership.ts'
import { DATABASE, findPostmaster, launch, type Postmaster, stop, urlOf } from './postmaster.ts'
import { damaged, lastWords, machineFault } from './start-faults.ts'

const START_MS = 90_000
/** A server that is ours but does not answer two attempts in a row is hung. */
const ANSWER_MS = 3_000
const PAUSE_MS = 25

export interface EmbeddedPostgres extends AsyncDisposable {
  /** `postgresql://...` with the password, of the database `gatehouse`. */
  readonly url: string
  /** Whether the server was running already: another Gatehouse shares it, or one was killed. */
  readonly adopted: boolean
}

/**
 * Starts the bundled PostgreSQL on `<dataDir>/postgres`, or joins the one that runs there.
 * Disposing it stops the server unless another process uses it. Throws `StartupError` with one
 * sentence; never waits longer than about two minutes.
 */
export async function startEmbeddedPostgres({
  dataDir,
}: {
  readonly dataDir: string
}): Promise<EmbeddedPostgres> {
  const home = openHome(dataDir)
  const binaries = await locateBinaries(home)
  const password = await ensureCluster(home, binaries)
  const end = performance.now() + START_MS
  let silentSince: number | undefined
  while (performance.now() < end) {
    const running = findPostmaster(home)
    const server = running ?? (await launched(home, binaries))
    if (server) {
      const owners = await join(home, server, password).catch(async (error: unknown) => {
        if (!running) await stop(home, server)
        throw error
      })
      if (owners) return use(home, server, urlOf(server, password), owners, running !== undefined)
      silentSince ??= performance.now()
      if (server.status === 'ready' && performance.now() - silentSince > ANSWER_MS) {
        await stop(home, server, 'hung')
        silentSince = undefined
      }
    }
    await sleep(PAUSE_MS)
  }
  throw new StartupError(
    `The embedded PostgreSQL in ${home.root} does not answer. Its log is ${home.log}.`,
  )
}

/** Undefined if it is worth another try: another process was faster, or the last server is just ending. */
async function launched(home: Home, binaries: Binaries): Promise<Postmaster | undefined> {
  const outcome = await launch(home, binaries)
  if (outcome.status === 'ready') return findPostmaster(home)
  const { output } = outcome
  if (
    !/lock file "\S+" already exists|pre-existing shared memory block|could not create any TCP\/IP sockets/.test(
      output,
    )
  )
    throw machineFault(output, home.root) ?? damaged(home.data, lastWords(output))
  return undefined
}

/** Undefined while the server starts, stops or is silent. */
async function join(
  home: Home,
  server: Postmaster,
  password: string,
): Promise<Ownership | undefined> {
  if (server.status !== 'ready') return undefined
  let owners: Ownership | undefined
  try {
    owners = await Ownership.join(urlOf(server, password))
    await owners?.createDatabase(DATABASE)
    return owners
  } catch (error) {
    await owners?.end()
    const { code = '', message } = error as { code?: string; message: string }
    if (code.startsWith('28'))
      throw damaged(home.cluster, 'its password does not open the database')
    if (/^(XX|58|3D|42|53)/.test(code))
      throw machineFault(message, home.root) ?? damaged(home.data, message)
    return undefined
  }
}

function use(
  home: Home,
  server: Postmaster,
  url: string,
  owners: Ownership,
  adopted: boolean,
): EmbeddedPostgres {
  let ending: Promise<void> | undefined
  const end = async () => {
    // A broken connection means that the server went away, or its connections were cut.
    const isLast = await owners
      .leave()
      .catch(async () => (await claimAlone(url).catch(() => true)) !== undefined)
    const stopped = !isLast || (await stop(home, findPostmaster(home) ?? server))
    await owners.end()
    if (!stopped) throw new Error(`The embedded PostgreSQL in ${home.root} does not stop.`)
  }
  return { url, adopted, [Symbol.asyncDispose]: () => (ending ??= end()) }
}
