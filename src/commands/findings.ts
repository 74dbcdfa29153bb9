import type { Answer } from './answer.ts'

/** What is not as it should be. */
export interface Finding {
  readonly id: string
  readonly level: 'warning' | 'error'
  readonly what: string
  readonly why: string
  readonly mend: string
  readonly docs: string
  readonly at?: Date
}

const EXIT_CODES = { ok: undefined, warnings: 1, errors: 2 } as const

/** `fine`: what is said where there is nothing. `about`: members of the JSON besides. */
export function told(
  findings: readonly Finding[],
  { fine, about = {} }: { fine: string; about?: Readonly<Record<string, string>> },
): Answer {
  const isError = findings.some(({ level }) => level === 'error')
  const status = isError ? 'errors' : findings.length > 0 ? 'warnings' : 'ok'
  const exitCode = EXIT_CODES[status]
  const lines = findings.flatMap(({ level, what, why, mend, docs, at }) => [
    `${level}: ${what}${at ? ` (last at ${at.toISOString()})` : ''}`,
    `  why it matters: ${why}`,
    `  how to mend it: ${mend.replaceAll('\n', '\n  ')}`,
    `  more: ${docs}`,
  ])
  return {
    lines: findings.length > 0 ? lines : [fine],
    json: { ...about, status, findings },
    ...(exitCode === undefined ? {} : { exitCode }),
  }
}
