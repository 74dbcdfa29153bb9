import { median } from '../test/support/statistics.ts'
import { starts } from './starts.ts'

/** `npm run bench:start [rounds]`: the start alone. */
const { firstMs, laterMs, serverRssMb, postgresPssMb } = await starts(Number(process.argv[2] ?? 5))
report('first start', firstMs, 'ms', 3000)
report('later start', laterMs, 'ms', 1500)
report('server RSS', serverRssMb, 'MB', 150)
report('PostgreSQL PSS', postgresPssMb, 'MB')

function report(name: string, values: readonly number[], unit: string, goal?: number): void {
  const middle = median(values)
  const verdict =
    goal === undefined ? '' : `  goal ${goal} ${unit}: ${middle <= goal ? 'met' : 'MISSED'}`
  const range = `${Math.min(...values).toFixed(0)}-${Math.max(...values).toFixed(0)}`
  process.stdout.write(
    `${name.padEnd(15)} ${middle.toFixed(0).padStart(5)} ${unit}  (${range}, n=${values.length})${verdict}\n`,
  )
}
