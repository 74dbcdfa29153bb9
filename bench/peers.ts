import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, 'peers')

/**
 * Whether the peers are there. Their lock is their own, so that the product's stays lean; they are
 * installed when first needed.
 */
export function peersInstalled(): boolean {
  if (existsSync(join(FOLDER, 'node_modules'))) return true
  // In a folder without a package.json, npm would look for one further up and change what is installed there.
  if (!existsSync(join(FOLDER, 'package.json'))) return false
  try {
    const shell = process.platform === 'win32'
    execFileSync('npm', ['ci', '--ignore-scripts', '--omit=peer'], {
      cwd: FOLDER,
      shell,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return true
  } catch {
    return false
  }
}
