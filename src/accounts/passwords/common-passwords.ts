import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const NEWLINE = 0x0a

/**
 * Some 164,000 leaked passwords, common English words and names, one folded word a line in byte
 * order. Searched where it lies: a Set of them takes 15 MB and 60 ms more. Made by
 * `test/support/common-passwords.ts`; its sources are in `common-passwords.NOTICE.md`.
 */
let list: Buffer | undefined

/**
 * Whether the list holds exactly this word; it must be folded (NFKC, lower case). The first call
 * reads the list (about 10 ms).
 */
export function isCommonPassword(folded: string): boolean {
  list ??= gunzipSync(readFileSync(new URL('./common-passwords.txt.gz', import.meta.url)))
  const word = Buffer.from(folded)
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const start = middle === low ? low : list.lastIndexOf(NEWLINE, middle - 1) + 1
    const end = list.indexOf(NEWLINE, middle)
    const order = word.compare(list, start, end)
    if (order === 0) return true
    if (order < 0) high = start
    else low = end + 1
  }
  return false
}
