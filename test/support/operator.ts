import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, jest } from '@jest/globals'
import { type Outcome, run, type Settings, settingsFor } from './commands.ts'

type Stores = Parameters<typeof settingsFor>[0]

/** A shell with a folder of its own. */
export interface Operator {
  readonly folder: string
  settings(server: Stores): Settings
  run(server: Stores, words: readonly string[], stdin?: string): Promise<Outcome>
}

/** Call it once at the top of a test file or of its `describe`, whose end it shares. */
export function operator(): Operator {
  // Every command is a process that starts cold; on a busy machine that takes seconds.
  jest.setTimeout(120_000)
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-cli-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  const settings = (server: Stores) => settingsFor(server, folder)
  return {
    get folder() {
      return folder
    },
    settings,
    run: (server, words, stdin) =>
      run(words, settings(server), stdin === undefined ? {} : { stdin }),
  }
}
