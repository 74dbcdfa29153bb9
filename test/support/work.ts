import { pbkdf2Sync } from 'node:crypto'
import type { Browser } from './browser.ts'

/** What the page asks to be worked on, if anything. */
export const challengeOf = ({ page }: Browser): string | undefined =>
  /data-challenge="([\w-]{48})"/.exec(page.text)?.[1]

/** A proof, found as browsers do; `isRight: false` finds a counter that proves nothing. */
export function work(challenge = '', isRight = true): string {
  for (let counter = 0; ; counter += 1) {
    const [first] = pbkdf2Sync(challenge, String(counter), 2000, 1, 'sha256')
    if ((first === 0) === isRight) return `${challenge}.${counter}`
  }
}
