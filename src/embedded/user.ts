import { statSync } from 'node:fs'
import { dirname } from 'node:path'

export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/** nobody and nogroup: PostgreSQL refuses to run as root. */
const NOBODY: ServerUser = { uid: 65_534, gid: 65_534 }

/** The user to run the server as: the owner of its folder if we are root, else ourselves (`undefined`). */
export function serverUser(owner?: ServerUser): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : NOBODY
}

/** Whether the user may enter every folder on the way to `path`, and `path` itself. */
export function canReach(path: string, user: ServerUser): boolean {
  const { mode, uid, gid } = statSync(path)
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
  if ((mode & bit) === 0) return false
  const parent = dirname(path)
  return parent === path || canReach(parent, user)
}
