import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { HASH_SLOTS } from '../src/crypto/argon2.ts'
import { processorLevels } from '../src/crypto/argon2-build.ts'
import { median } from '../test/support/statistics.ts'
import { signIns } from './storm.ts'
import type { Target } from './target.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SCRIPT = fileURLToPath(new URL('./hash-rate.ts', import.meta.url))

export interface HashRates {
  /** Hashes per second of the argon2 that is installed, with as many at once as there are slots. */
  readonly installed: number
  /**
   * The same package as the image has it for this processor; undefined where nothing can be
   * compiled for it.
   */
  readonly compiled: number | undefined
  readonly signIns: number
  /** Over what is installed: medians of the rounds' own shares. */
  readonly shares: { readonly compiled: number | undefined; readonly signIns: number }
}

/** G10 and G11: argon2 alone, argon2 compiled by `npm run native` in a copy, and sign-ins; by turns. */
export async function hashRates(
  target: Target,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<HashRates> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-native-'))
  try {
    const isCompiled = await compile(folder)
    const [installed, compiled, signedIn]: [number[], number[], number[]] = [[], [], []]
    for (let round = 0; round < rounds; round++) {
      installed.push(await rateOf(ROOT, seconds))
      if (isCompiled) compiled.push(await rateOf(folder, seconds))
      const statuses = new Map<number, number>()
      const over = AbortSignal.timeout(seconds * 1000)
      await Promise.all(Array.from({ length: 4 }, () => signIns(target, over, statuses)))
      signedIn.push((statuses.get(200) ?? 0) / seconds)
    }
    const overInstalled = (rates: readonly number[]): number =>
      median(rates.map((rate, round) => rate / (installed[round] ?? Number.NaN)))
    return {
      installed: median(installed),
      compiled: isCompiled ? median(compiled) : undefined,
      signIns: median(signedIn),
      shares: {
        compiled: isCompiled ? overInstalled(compiled) : undefined,
        signIns: overInstalled(signedIn),
      },
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** As the Dockerfile does, in a copy: the installed package stays as it is. */
async function compile(folder: string): Promise<boolean> {
  for (const part of [
    'package.json',
    ...['argon2', 'node-addon-api', 'node-gyp-build', '@phc'].map((name) => `node_modules/${name}`),
  ])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true, dereference: true })
  const [level] = processorLevels()
  if (!level) {
    console.log('this processor has no AVX2: the image takes the installed argon2')
    return false
  }
  const env = {
    ...process.env,
    MARCH: level,
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
  }
  return run('npm', ['run', 'native'], { cwd: folder, env }).then(
    () => true,
    (error: unknown) => {
      console.log(`argon2 could not be compiled: ${String(error).split('\n')[0]}`)
      return false
    },
  )
}

async function rateOf(root: string, seconds: number): Promise<number> {
  const { stdout } = await run(process.execPath, [
    SCRIPT,
    root,
    String(HASH_SLOTS),
    String(seconds),
  ])
  return Number(stdout)
}
