import { readFileSync } from 'node:fs'

export const isRoot = process.getuid?.() === 0
/**
 * Somebody with an account who is neither root nor nobody; as an ordinary user one can only be
 * oneself (`undefined`).
 */
export const PERSON = isRoot ? somebody() : undefined

function somebody(): { uid: number; gid: number } {
  const ids = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':').slice(2, 4).map(Number))
  const [uid = 1, gid = 1] = ids.find(([id = 0]) => id > 0 && id < 65_534) ?? []
  return { uid, gid }
}
