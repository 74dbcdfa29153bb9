import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { isRoot, PERSON } from '../support/users.ts'
import { dataFolder, homeOf, own, query, serversOf } from './support.ts'

describe.each(
  isRoot
    ? [
        { who: 'root', user: undefined },
        { who: 'a person', user: PERSON },
      ]
    : [{ who: 'a person', user: undefined }],
)('embedded PostgreSQL, started by $who', ({ user }) => {
  it('starts on an empty folder, keeps its data, and leaves no process when it is stopped', async () => {
    const dataDir = dataFolder({ user })
    const first = await own(dataDir, { user })
    expect(first).toMatchObject({
      adopted: false,
      url: expect.stringMatching(
        /^postgresql:\/\/gatehouse:[\w-]{43}@127\.0\.0\.1:\d+\/gatehouse$/,
      ),
    })
    await query(first.url, 'create table kept as select 42 as answer')
    await first.stop()
    expect(serversOf(dataDir)).toEqual([])

    const second = await own(dataDir, { user })
    expect(second.adopted).toBe(false)
    expect(await query(second.url, 'select answer from kept')).toEqual([42])
    await second.stop()
    expect(serversOf(dataDir)).toEqual([])
  })
})

describe('embedded PostgreSQL', () => {
  it('listens on loopback only, asks for the password, keeps fsync on and statements out of its log', async () => {
    const dataDir = dataFolder()
    await using server = await startEmbeddedPostgres({ dataDir })
    const settings = [
      'listen_addresses',
      'unix_socket_directories',
      'fsync',
      'server_encoding',
      'data_checksums',
    ]
    const values = await Promise.all(settings.map((name) => query(server.url, `show ${name}`)))
    expect(values.flat()).toEqual(['127.0.0.1', '', 'on', 'UTF8', 'on'])

    const wrong = new URL(server.url)
    wrong.password = 'guess'
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })
    await expect(query(server.url, "select 'canary' from nowhere")).rejects.toMatchObject({
      code: '42P01',
    })
    expect(readFileSync(join(homeOf(dataDir), 'server.log'), 'utf8')).not.toContain('canary')
  })

  it('keeps the password and everything else from other users', async () => {
    const dataDir = dataFolder()
    await using _server = await startEmbeddedPostgres({ dataDir })
    const home = homeOf(dataDir)
    expect([home, join(home, 'cluster/data')].map((path) => statSync(path).mode & 0o777)).toEqual([
      0o700, 0o700,
    ])
    expect(
      [join(home, 'cluster/password'), join(home, 'server.log')].map(
        (path) => statSync(path).mode & 0o777,
      ),
    ).toEqual([0o600, 0o600])
  })

  it('sorts and compares text by code point and knows every letter (C.UTF-8)', async () => {
    await using server = await startEmbeddedPostgres({ dataDir: dataFolder() })
    expect(
      await query(
        server.url,
        "select lower('ÄŁΩ') || string_agg(x, '' order by x) from unnest(array['b','a','B']) x",
      ),
    ).toEqual(['äłωBab'])
  })
})
