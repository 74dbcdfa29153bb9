import fc from 'fast-check'

export interface Bounds {
  /** How long cases are tried. */
  readonly ms?: number
  /** Fewer prove nothing. */
  readonly leastRuns?: number
}

/** On a machine that is too busy for the least number of cases. */
const MOST_ROUNDS = 15

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
  let runs = 0
  for (let round = 0; round < MOST_ROUNDS && (round === 0 || runs < leastRuns); round += 1) {
    const details = await fc.check(property, {
      numRuns: Number.MAX_SAFE_INTEGER,
      interruptAfterTimeLimit: ms,
      markInterruptAsFailure: false,
    })
    if (details.failed)
      throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance })
    // The time is over in the middle of a case, which fast-check does not wait for.
    await last
    runs += details.numRuns
  }
  if (runs < leastRuns)
    throw new Error(`only ${runs} cases in ${MOST_ROUNDS * ms} ms, which proves nothing`)
  return runs
}
