import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RUN_DIR } from './run.ts'

const folder = () => join(process.env[RUN_DIR] ?? '.data', 'notes')

/**
 * Says in the closing lines of the run which real part a test used:
 * `note('redis', 'redis-server 7.0.15')`.
 */
export function note(subject: string, text: string): void {
  mkdirSync(folder(), { recursive: true })
  writeFileSync(join(folder(), subject), text)
}

/** All notes of this run as `subject: text`, sorted. */
export function readNotes(): string[] {
  try {
    return readdirSync(folder())
      .sort()
      .map((subject) => `${subject}: ${readFileSync(join(folder(), subject), 'utf8')}`)
  } catch {
    return []
  }
}
