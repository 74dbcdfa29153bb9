import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { Home } from '../../src/embedded/home.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { readPostmaster } from '../../src/embedded/postmaster.ts'
import { eventually } from '../support/eventually.ts'
import { PERSON } from '../support/users.ts'
import { dataFolder, homeOf, own, query, serversOf } from './support.ts'

describe('who stops the embedded PostgreSQL', () => {
  it('adopts the server of a Gatehouse that was killed with -9, and stops it in its place', async () => {
    const dataDir = dataFolder()
    const killed = await own(dataDir)
    await query(killed.url, 'create table kept as select 42 as answer')
    await killed.kill()
    const [orphan] = serversOf(dataDir)

    const heir = await own(dataDir)
    expect(heir).toMatchObject({ adopted: true, url: killed.url })
    expect(serversOf(dataDir)[0]).toBe(orphan)
    expect(await query(heir.url, 'select answer from kept')).toEqual([42])
    await heir.stop()
    expect(serversOf(dataDir)).toEqual([])
  })

  it.each([
    ['the one that started it', 0],
    ['the one that adopted it', 1],
  ])(
    'serves two processes on one folder until the last has left, when %s leaves first',
    async (_, leaves) => {
      const dataDir = dataFolder()
      const both = [await own(dataDir), await own(dataDir)]
      expect(both.map(({ adopted }) => adopted)).toEqual([false, true])
      await both[leaves]?.stop()
      expect(await query(both[1 - leaves]?.url ?? '', 'select 42')).toEqual([42])
      await both[1 - leaves]?.stop()
      expect(serversOf(dataDir)).toEqual([])
    },
  )

  it('lets five processes start on an empty folder at once', async () => {
    const dataDir = dataFolder()
    const all = await Promise.all(Array.from({ length: 5 }, () => own(dataDir)))
    expect(new Set(all.map(({ url }) => url)).size).toBe(1)
    expect(all.filter(({ adopted }) => !adopted)).toHaveLength(1)
    await Promise.all(all.map((owner) => owner.stop()))
    expect(serversOf(dataDir)).toEqual([])
  })

  it('starts anew while the last owner is just stopping the server', async () => {
    const dataDir = dataFolder()
    let owner = await own(dataDir)
    for (let round = 0; round < 5; round++) {
      const [, next] = await Promise.all([owner.stop(), own(dataDir)])
      expect(await query(next.url, 'select 42')).toEqual([42])
      owner = next
    }
    await owner.stop()
    expect(serversOf(dataDir)).toEqual([])
  })

  it('may be disposed twice, and after the server has died by itself', async () => {
    const dataDir = dataFolder()
    const server = await startEmbeddedPostgres({ dataDir })
    const [pid] = serversOf(dataDir)
    process.kill(pid ?? 0, 'SIGQUIT')
    await server[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    expect(serversOf(dataDir)).toEqual([])
  })
})

describe('a pid file that was left behind', () => {
  it.each(['is free', 'now belongs to another program of the same user'])(
    'does not hinder the start when its pid %s',
    async (state) => {
      const dataDir = dataFolder({ user: PERSON })
      const first = await own(dataDir, { user: PERSON })
      const file = join(homeOf(dataDir), 'cluster/data/postmaster.pid')
      const lines = readFileSync(file, 'utf8').split('\n')
      await first.stop()

      const other = spawn('sleep', ['60'], { ...PERSON, stdio: 'ignore' })
      const pid = state === 'is free' ? 2 ** 22 - 3 : other.pid
      try {
        writeFileSync(file, [pid, ...lines.slice(1)].join('\n'))
        const second = await own(dataDir, { user: PERSON })
        expect(second.adopted).toBe(false)
        expect(other.exitCode).toBeNull()
        await second.stop()
      } finally {
        other.kill()
      }
    },
  )
})

it('replaces a server that hangs', async () => {
  const dataDir = dataFolder()
  const killed = await own(dataDir)
  const [hung] = serversOf(dataDir)
  await killed.kill()
  process.kill(hung ?? 0, 'SIGSTOP')
  const next = await own(dataDir)
  expect(next.adopted).toBe(false)
  expect(serversOf(dataDir)).not.toContain(hung)
  await next.stop()
}, 60_000)

it('reads the file of a server that comes and goes at any moment', async () => {
  const home = { data: dataFolder() } as Home
  mkdirSync(home.data)
  const path = JSON.stringify(join(home.data, 'postmaster.pid'))
  const child = spawn(process.execPath, [
    '-e',
    `const fs = require('node:fs'); for (;;) { fs.writeFileSync(${path}, '1'); fs.rmSync(${path}) }`,
  ])
  try {
    await eventually(() => readPostmaster(home)?.pid, 1)
    const found = new Set(Array.from({ length: 20_000 }, () => readPostmaster(home)?.pid))
    expect([...found].filter(Boolean)).toEqual([1])
    expect(found).toContain(undefined)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})
