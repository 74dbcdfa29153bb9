import { randomInt } from 'node:crypto'

/** `milliseconds`, a quarter more or less, so that what failed together does not return together. */
export function jittered(milliseconds: number): number {
  return Math.round(milliseconds * (0.75 + randomInt(0, 501) / 1000))
}

/** Doubles from `firstMs` with every attempt up to `maxMs`, before jitter. */
export function exponential(attempt: number, firstMs: number, maxMs: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 40))
}
