import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const HERE = dirname(fileURLToPath(import.meta.url))
export const PROJECT = join(HERE, '..', '..')

const run = promisify(execFile)
/** The clone may belong to another user than the gate runs as. */
const git = (...words: string[]) => run('git', ['-c', 'safe.directory=*', '-C', PROJECT, ...words])

export interface Checkout extends Disposable {
  readonly root: string
  readonly commit: string
}

/** The code of the commit in `PREVIOUS`, out of this clone's own history, ready to run. */
export async function checkOutPrevious(): Promise<Checkout> {
  const commit = readFileSync(join(HERE, 'PREVIOUS'), 'utf8').trim()
  await find(commit)
  const root = mkdtempSync(join(tmpdir(), 'gatehouse-previous-'))
  const archive = join(root, 'archive.tar')
  await git('archive', '--format=tar', '-o', archive, commit)
  await run('tar', ['-xf', archive, '-C', root])
  rmSync(archive)
  await install(root)
  return {
    root,
    commit,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** A shallow clone is completed first, where it has somewhere to fetch from. */
async function find(commit: string): Promise<void> {
  const { stdout } = await git('rev-parse', '--is-shallow-repository')
  const isShallow = stdout.trim() === 'true'
  if (isShallow) await git('fetch', '--quiet', '--unshallow').catch(() => undefined)
  const isAncestor = await git('merge-base', '--is-ancestor', commit, 'HEAD').then(
    () => true,
    () => false,
  )
  if (!isAncestor)
    throw new Error(
      `The commit ${commit} of test/upgrade/PREVIOUS is not in the history of this clone${
        isShallow ? ', which is shallow: git fetch --unshallow' : ''
      }.`,
    )
}

/** The packages of this code where they are the same, else its own. */
async function install(root: string): Promise<void> {
  const [own, theirs] = [PROJECT, root].map((each) => readFileSync(join(each, 'package-lock.json')))
  if (own && theirs?.equals(own))
    return symlinkSync(join(PROJECT, 'node_modules'), join(root, 'node_modules'))
  await run('npm', ['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund'], {
    cwd: root,
  })
}
