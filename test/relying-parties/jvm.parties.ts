import { PARTIES } from './jvm/parties.ts'
import { partiesOf } from './parties-of.ts'

await partiesOf('jvm', PARTIES)
