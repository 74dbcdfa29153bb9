import { writeFileSync } from 'node:fs'
import { constants, gzipSync } from 'node:zlib'
import { dictionary as common } from '@zxcvbn-ts/language-common'
import { dictionary as english } from '@zxcvbn-ts/language-en'

/** Shorter words explain too little of any password to matter. */
const MIN_LENGTH = 4
const LISTS = [
  common['passwords-common'],
  english['commonWords-en'],
  english['firstnames-en'],
  english['lastnames-en'],
]

/**
 * The text of `src/accounts/passwords/common-passwords.txt.gz`: one folded word a line, in byte order, each
 * line ended.
 */
export function renderCommonPasswords(): Buffer {
  const words = new Set(LISTS.flat().map((word) => word.normalize('NFKC').toLowerCase()))
  const lines = [...words]
    .filter((word) => word.length >= MIN_LENGTH && !/\s/.test(word))
    .map((word) => Buffer.from(`${word}\n`))
  return Buffer.concat(lines.sort((a, b) => a.subarray(0, -1).compare(b.subarray(0, -1))))
}

/** `node test/support/common-passwords.ts` writes the list anew, after an update of the dictionaries. */
if (import.meta.main) {
  const target = new URL('../../src/accounts/passwords/common-passwords.txt.gz', import.meta.url)
  writeFileSync(target, gzipSync(renderCommonPasswords(), { level: constants.Z_BEST_COMPRESSION }))
}
