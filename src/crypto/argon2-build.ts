import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const V3 = ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave']
const V4 = [...V3, 'avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl']

/** Levels of the x86-64 psABI, best first, and what a processor must have for them as Linux names it. */
const LEVELS: readonly (readonly [level: string, flags: readonly string[]])[] = [
  ['x86-64-v4', V4],
  ['x86-64-v3', V3],
]

/** The levels that this processor has, best first; none where it is another kind or nobody says. */
export function processorLevels(cpuinfo = '/proc/cpuinfo'): string[] {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(textOf(cpuinfo))?.[1]?.trim().split(/\s+/))
  return LEVELS.filter(([, needed]) => needed.every((flag) => flags.has(flag))).map(
    ([level]) => level,
  )
}

/**
 * Where argon2 was compiled for this processor, of a folder that has a build for each level, as the
 * image does; node-gyp-build takes it from `ARGON2_PREBUILD`. Without one the package's own build
 * does, which runs everywhere.
 */
export function argon2Build(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined
  return processorLevels()
    .map((level) => join(folder, level))
    .find((build) => existsSync(join(build, 'build/Release/argon2.node')))
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
