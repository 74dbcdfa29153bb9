import { readFileSync } from 'node:fs'
import { StartupError } from '../errors.ts'
import { contradictions, missing } from './contradictions.ts'
import { type Env, EnvSchema, SECRETS } from './env-schema.ts'
import { forgetForeign, isOfService } from './foreign-variables.ts'

export { type Env, EnvSchema, SECRETS }

const PREFIX = 'GATEHOUSE_'

/**
 * The only reader of `process.env`. Throws `StartupError` naming every bad variable at once, never its value.
 * Unknown variables are errors only under the prefix `GATEHOUSE_`: the rest of the environment is not ours.
 */
export function readEnv(source: Readonly<Record<string, string | undefined>> = process.env): Env {
  const faults: string[] = []
  const input: Record<string, string> = {}
  const known = Object.keys(EnvSchema.shape)
  for (const name of known) {
    const value = source[name]
    if (value !== undefined && value !== '') input[name] = value
  }
  for (const name of SECRETS) {
    const file = source[`${name}_FILE`]
    if (!file) continue
    if (input[name]) faults.push(`${name}: set either ${name} or ${name}_FILE, not both`)
    try {
      input[name] = readFileSync(file, 'utf8').trim()
    } catch {
      faults.push(`${name}_FILE: cannot be read`)
    }
  }
  for (const [name, value] of Object.entries(source))
    if (name.startsWith(PREFIX) && !isOfService(name, value))
      faults.push(`${name}: unknown setting`)

  const parsed = EnvSchema.safeParse(input)
  if (!parsed.success)
    faults.push(...parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`))
  const env = parsed.success ? parsed.data : undefined
  if (env) faults.push(...contradictions(env))
  else if (input['NODE_ENV'] === 'production') faults.push(...missing(input, 'in production'))
  if (!env || faults.length > 0)
    throw new StartupError(
      `Invalid configuration:\n${[...new Set(faults)].map((fault) => `  ${fault}`).join('\n')}`,
    )
  return env
}

/** For the whole process, before anything reads it. */
export function clearEnvironment(): void {
  forgetForeign(process.env)
}
