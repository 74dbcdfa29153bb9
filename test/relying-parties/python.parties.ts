import { partiesOf } from './parties-of.ts'
import { PARTIES } from './python/parties.ts'

await partiesOf('python', PARTIES)
