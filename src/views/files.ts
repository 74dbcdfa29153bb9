import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'

export const VIEWS = join(import.meta.dirname, '..', '..', 'views')

export function readView(path: string): Buffer {
  return readFileSync(join(VIEWS, path))
}

/** Paths below `views/` with the extension, with `/` between folders. */
export function listViews(extension: string): string[] {
  const paths = readdirSync(VIEWS, { recursive: true, encoding: 'utf8' }).map((path) =>
    path.split(sep).join('/'),
  )
  return paths.filter((path) => path.endsWith(extension)).sort()
}
