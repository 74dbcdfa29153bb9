import fc from 'fast-check'

export interface Bounds {
  /** How long cases are tried. */
  readonly ms?: number
  /** Fewer prove nothing. */
  readonly leastRuns?: number
}

/**
 * Tries a property for some seconds instead of so many times: a busy machine tries less, and
 * nothing goes on after its test. Answers how many cases it tried.
 */
export async function holds<T>(
  values: fc.Arbitrary<T>,
  predicate: (value: T) => Promise<void>,
  { ms = 3000, leastRuns = 20 }: Bounds = {},
): Promise<number> {
  let last = Promise.resolve()
  const property = fc.asyncProperty(values, (value) => {
    last = predicate(value)
    return last
  })
  const details = await fc.check(property, {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: ms,
    markInterruptAsFailure: false,
  })
  // The time is over in the middle of a case, which fast-check does not wait for.
  if (!details.failed) await last
  if (details.failed) throw new Error(fc.defaultReportMessage(details))
  if (details.numRuns < leastRuns)
    throw new Error(`only ${details.numRuns} cases in ${ms} ms, which proves nothing`)
  return details.numRuns
}
