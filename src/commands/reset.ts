import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Env } from '../config/env.ts'
import { findHome } from '../embedded/home.ts'
import { resetData } from '../embedded/reset.ts'
import type { Answer } from './answer.ts'

export async function resetCommand({ DATA_DIR }: Env): Promise<Answer> {
  const folder = resolve(DATA_DIR)
  const hadData = findHome(folder) !== undefined || existsSync(join(folder, 'secrets.json'))
  await resetData(folder)
  const line = hadData ? `The data in ${folder} is deleted.` : `There is no data in ${folder}.`
  return { lines: [line], json: { folder, deleted: hadData } }
}
