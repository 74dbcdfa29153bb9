import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { appear } from '../whole-file.ts'
import { startupFault } from './start-faults.ts'
import { canReach, type ServerUser, serverUser } from './user.ts'

/** The folder that belongs to the embedded server, and the user its processes run as (`undefined`: ours). */
export interface Home {
  readonly root: string
  readonly user: ServerUser | undefined
  /** Holds `data/` and `password`; appears complete or not at all. */
  readonly cluster: string
  readonly data: string
  readonly password: string
  readonly log: string
}

/**
 * Where data goes when root's folder is closed to the server's user. In /tmp it would not outlive a
 * reboot, so that is last.
 */
const ELSEWHERE = ['/var/lib', '/var/tmp', tmpdir()]
const PREFIX = 'gatehouse-'

/**
 * Finds or makes the server's home for a data folder: `<dataDir>/postgres`, or wherever the pointer
 * in `dataDir` leads.
 */
export function openHome(dataDir: string): Home {
  const at = resolve(dataDir)
  try {
    mkdirSync(at, { recursive: true, mode: 0o755 })
    const existing = findHome(at)
    // Without a cluster inside, the start that made the folder may have ended before it was the server's.
    if (
      !existing ||
      (existing.root === join(realpathSync(at), 'postgres') && !existsSync(existing.cluster))
    )
      return createHome(realpathSync(at))
    accessSync(existing.root, constants.R_OK | constants.W_OK | constants.X_OK)
    return existing
  } catch (error) {
    throw startupFault(error, at)
  }
}

/** The home of a data folder if there is one. */
export function findHome(dataDir: string): Home | undefined {
  const root = [readPointer(dataDir), join(resolve(dataDir), 'postgres')].find(
    (path) => path !== undefined && existsSync(path),
  )
  return root === undefined ? undefined : homeAt(realpathSync(root))
}

export function pointerPath(dataDir: string): string {
  return join(resolve(dataDir), 'postgres.path')
}

/** Only folders that we could have made ourselves are believed: `reset` deletes what this names. */
function readPointer(dataDir: string): string | undefined {
  const pointer = pointerPath(dataDir)
  if (!existsSync(pointer)) return undefined
  const root = readFileSync(pointer, 'utf8').trim()
  return ELSEWHERE.includes(dirname(root)) && basename(root).startsWith(PREFIX) ? root : undefined
}

function createHome(dataDir: string): Home {
  const user = serverUser()
  const inside = join(dataDir, 'postgres')
  if (!user || canReach(dataDir, user)) {
    mkdirSync(inside, { recursive: true, mode: 0o700 })
    if (!user || hasGiven(inside, user)) return homeAt(inside)
  }
  // Of a place that was cleared the name stays, so that all who look for it at once agree on it.
  const cleared = readPointer(dataDir)
  const bases = cleared === undefined ? ELSEWHERE : [dirname(cleared), ...ELSEWHERE]
  const base = bases.find((path) => existsSync(path) && canReach(path, user) && isWritable(path))
  if (base === undefined) throw Object.assign(new Error('no reachable folder'), { code: 'EACCES' })
  const draft = mkdtempSync(join(base, PREFIX))
  chownSync(draft, user.uid, user.gid)
  return homeAt(
    cleared !== undefined && base === dirname(cleared)
      ? restore(cleared, draft)
      : point(dataDir, draft),
  )
}

/**
 * Gives the folder the name of the place that was cleared, unless another process was faster and
 * has begun to use its own.
 */
function restore(cleared: string, draft: string): string {
  try {
    renameSync(draft, cleared)
  } catch (error) {
    rmdirSync(draft)
    if (!existsSync(cleared)) throw error
  }
  return cleared
}

/** Points to the folder, unless another process was faster; returns the one that counts. */
function point(dataDir: string, root: string): string {
  const pointer = pointerPath(dataDir)
  // One that cannot be followed, or not any more.
  if (existsSync(pointer) && !existsSync(readPointer(dataDir) ?? ''))
    rmSync(pointer, { force: true })
  if (appear(pointer, `${root}\n`)) return root
  rmdirSync(root)
  const theirs = readPointer(dataDir)
  if (theirs === undefined)
    throw Object.assign(new Error(`${pointer} does not name a place`), { code: 'EEXIST' })
  return theirs
}

/** Some file systems (NFS, shared folders of virtual machines) refuse a change of owner. */
function hasGiven(path: string, user: ServerUser): boolean {
  try {
    chownSync(path, user.uid, user.gid)
    return statSync(path).uid === user.uid
  } catch {
    return false
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function homeAt(root: string): Home {
  const cluster = join(root, 'cluster')
  return {
    root,
    user: serverUser(statSync(root)),
    cluster,
    data: join(cluster, 'data'),
    password: join(cluster, 'password'),
    log: join(root, 'server.log'),
  }
}
