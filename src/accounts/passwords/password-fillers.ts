/**
 * What people type without thinking, forwards or backwards, by how much of it must stand in a row
 * to count.
 */
const TRACKS: Readonly<Record<number, readonly string[]>> = {
  3: [
    '01234567890',
    'abcdefghijklmnopqrstuvwxyz',
    'qwertyuiop[]',
    'qwertzuiopü',
    'azertyuiop',
    "asdfghjkl;'",
    'qsdfghjklm',
    'zxcvbnm,./',
    'yxcvbnm',
    '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/',
    '1q2w3e4r5t6y7u8i9o0p',
    '!@#$%^&*()_+',
  ],
  4: ['00112233445566778899', 'aabbccddeeffgghhiijjkkllmmnnooppqqrrssttuuvvwwxxyyzz', '1357924680'],
  6: ['147258369', '789456123', '159357'],
}

const RUNS = Object.entries(TRACKS).map(([length, tracks]) => {
  const size = Number(length)
  return {
    size,
    runs: new Set(
      tracks.flatMap((track) => [
        ...windows(track, size),
        ...windows([...track].toReversed().join(''), size),
      ]),
    ),
  }
})

/** Up to four characters, three times or more. */
const REPEATS = /([^\0]{1,4}?)\1{2,}/g
const DAY_MONTH = '(?:0[1-9]|[12]\\d|3[01])[-./]?(?:0[1-9]|1[0-2])'
const MONTH_DAY = '(?:0[1-9]|1[0-2])[-./]?(?:0[1-9]|[12]\\d|3[01])'
/** A year from 1930 to 2049, alone or with day and month before or after it. */
const DATES = new RegExp(
  `(?:(?:${DAY_MONTH}|${MONTH_DAY})[-./]?)?(?:19[3-9]|20[0-4])\\d(?:[-./]?${MONTH_DAY})?`,
  'g',
)

/**
 * Marks repeats, sequences and dates in what is not explained yet. A run ends where an explained
 * part begins.
 */
export function markFillers(text: string, explained: Uint8Array): void {
  const rest = [...explained].map((done, at) => (done ? '\0' : (text[at] ?? ''))).join('')
  for (const pattern of [REPEATS, DATES])
    for (const match of rest.matchAll(pattern))
      explained.fill(1, match.index, match.index + match[0].length)
  for (const { size, runs } of RUNS)
    for (let at = 0; at + size <= rest.length; at++)
      if (runs.has(rest.slice(at, at + size))) explained.fill(1, at, at + size)
}

function windows(track: string, size: number): string[] {
  return Array.from({ length: track.length - size + 1 }, (_, at) => track.slice(at, at + size))
}
