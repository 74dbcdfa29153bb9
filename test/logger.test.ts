import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { gathering } from '../src/logger/gathering.ts'
import { createLogger } from '../src/logger/logger.ts'

describe('lines of the log', () => {
  function logger() {
    const writes: string[] = []
    return {
      log: createLogger('info', gathering({ write: (lines: string) => void writes.push(lines) })),
      writes,
    }
  }
  const counted = (writes: readonly string[]) =>
    writes.map((lines) => lines.trim().split('\n').length)

  it('go out at once after a pause, and together while they follow each other closely', async () => {
    const { log, writes } = logger()
    for (let line = 0; line < 20; line += 1) log.info('request')
    expect(counted(writes)).toEqual([1])
    await sleep(200)
    expect(counted(writes)).toEqual([1, 19])
    log.info('request')
    expect(counted(writes)).toEqual([1, 19, 1])
  })

  it('take what waits along with a warning, in their order', () => {
    const { log, writes } = logger()
    for (const message of ['first', 'second', 'third']) log.info(message)
    log.warn('trouble')
    expect(counted(writes)).toEqual([1, 3])
    const messages = writes.join('').trim().split('\n')
    expect(messages.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'first',
      'second',
      'third',
      'trouble',
    ])
  })

  it('do not pile up: a burst is written before its time', () => {
    const { log, writes } = logger()
    for (let line = 0; line < 1000; line += 1) log.info('request')
    expect(writes.length).toBeGreaterThan(1)
    expect(Math.max(...writes.map((lines) => lines.length))).toBeLessThan(20_000)
  })

  it.each([
    ['at the end of the process', 'process.exit(0)'],
    ['when a fault ends it', 'throw new Error("a fault")'],
  ])('are all there %s', async (_name, end) => {
    const logs = new URL('../src/logger/logger.ts', import.meta.url).href
    const program = `import { createLogger } from '${logs}'; const log = createLogger('info'); for (let i = 0; i < 9; i++) log.info('line'); ${end}`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    expect((await text(child.stdout)).trim().split('\n')).toHaveLength(9)
  })
})
