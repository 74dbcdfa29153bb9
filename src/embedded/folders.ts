import { existsSync, lchownSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isAlive } from './processes.ts'
import type { ServerUser } from './user.ts'

/** Drafts that this process is filling. */
let drafts = 0
const open = new Set<string>()

/**
 * Makes a folder appear under its name complete or not at all: filled as `<name>.<pid>.<count>`,
 * then renamed. False if another process was faster; its folder is the one that counts.
 */
export async function fillFolder(
  name: string,
  fill: (draft: string) => void | Promise<void>,
): Promise<boolean> {
  removeAbandoned(name)
  const draft = `${name}.${process.pid}.${++drafts}`
  open.add(draft)
  try {
    await fill(draft)
    renameSync(draft, name)
    return true
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (existsSync(name)) return false
    throw error
  } finally {
    open.delete(draft)
  }
}

/** Drafts of processes that were killed before the renaming; in a container the earlier one had our pid. */
function removeAbandoned(name: string): void {
  const folder = dirname(name)
  for (const entry of readdirSync(folder)) {
    if (!entry.startsWith(`${basename(name)}.`)) continue
    const pid = Number(entry.slice(basename(name).length + 1).split('.')[0])
    const inUse = pid === process.pid ? open.has(join(folder, entry)) : isAlive(pid)
    if (Number.isInteger(pid) && !inUse)
      rmSync(join(folder, entry), { recursive: true, force: true })
  }
}

export function giveAll(folder: string, { uid, gid }: ServerUser): void {
  lchownSync(folder, uid, gid)
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    lchownSync(join(folder, entry), uid, gid)
}
