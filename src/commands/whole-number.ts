import { StartupError } from '../errors.ts'

/** The value of an option that is a number. */
export function wholeNumber(option: string, typed: string, max: number, min = 1): number {
  const value = Number(typed)
  if (!/^\d+$/.test(typed) || value < min || value > max)
    throw new StartupError(`${option}: must be a number from ${min} to ${max}`)
  return value
}
