import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { StartupError } from '../errors.ts'
import { appear } from '../whole-file.ts'

/** Asked before the work is done whose answer the file will be: it would be lost. */
export function expectNew(file: string): void {
  if (existsSync(file)) throw taken(file)
  try {
    accessSync(dirname(file), constants.W_OK)
  } catch (cause) {
    throw unwritable(file, cause)
  }
}

/** For the operator alone, and never over another file. */
export function writeNew(file: string, text: string): void {
  let isNew: boolean
  try {
    isNew = appear(file, text, 0o600)
  } catch (cause) {
    throw unwritable(file, cause)
  }
  if (!isNew) throw taken(file)
}

const taken = (file: string) => new StartupError(`--out: ${file} is there already`)

const unwritable = (file: string, cause: unknown) =>
  new StartupError(`--out: ${file} cannot be written`, { cause })
