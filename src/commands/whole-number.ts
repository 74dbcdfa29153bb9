import { StartupError } from '../errors.ts'

/** The value of an option that is a number from 1 on. */
export function wholeNumber(option: string, typed: string, max: number): number {
  const value = Number(typed)
  if (!/^\d+$/.test(typed) || value < 1 || value > max)
    throw new StartupError(`${option}: must be a number from 1 to ${max}`)
  return value
}
