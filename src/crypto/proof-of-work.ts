import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(pbkdf2)

/** Of PBKDF2, for one try. One of 256 tries succeeds: half a second for a browser, 2 ms to check. */
export const WORK_ROUNDS = 2000

/** Whether a browser has found a counter for this challenge. Off the event loop. */
export async function isWorkDone(challenge: string, counter: string): Promise<boolean> {
  const [first] = await derive(challenge, counter, WORK_ROUNDS, 1, 'sha256')
  return first === 0
}
