/**
 * Milliseconds of the fastest of several runs: what the work costs, whatever else the machine does
 * meanwhile.
 */
export async function fastest(work: () => unknown, runs = 7): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run += 1) {
    const began = performance.now()
    await work()
    best = Math.min(best, performance.now() - began)
  }
  return best
}
