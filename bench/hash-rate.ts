import { createRequire } from 'node:module'
import { join } from 'node:path'
import { argv } from 'node:process'

/**
 * `node bench/hash-rate.ts <folder with node_modules> <at once> <seconds>` prints argon2id hashes
 * per second at the product's cost.
 */
const [folder = '.', slots = '1', seconds = '2'] = argv.slice(2)
const { hash, argon2id } = createRequire(join(folder, 'package.json'))(
  'argon2',
) as typeof import('argon2')
const cost = {
  type: argon2id,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
  hashLength: 32,
} as const
const until = performance.now() + Number(seconds) * 1000
let made = 0
await Promise.all(
  Array.from({ length: Number(slots) }, async () => {
    for (; performance.now() < until; made++) await hash('plum ladder seven harbour', cost)
  }),
)
process.stdout.write(String(made / Number(seconds)))
