import { expect } from '@jest/globals'

/** Looks again until the value is as expected; then, or when the time is over, the assertion decides. */
export async function eventually<T>(
  look: () => Promise<T> | T,
  expected: T,
  withinMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + withinMs
  let seen = await look()
  while (!Object.is(seen, expected) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    seen = await look()
  }
  expect(seen).toEqual(expected)
}
