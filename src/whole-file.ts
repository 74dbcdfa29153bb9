import { existsSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Makes a file appear whole, so that nobody who looks for it finds it empty. False if there is one
 * of that name.
 */
export function appear(path: string, content: string, mode?: number): boolean {
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, content, { mode })
    linkSync(draft, path)
    return true
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    // The shared folders of some virtual machines have no links.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code) || !existsSync(draft))
      throw error
    if (existsSync(path)) return false
    renameSync(draft, path)
    return true
  } finally {
    rmSync(draft, { force: true })
  }
}
